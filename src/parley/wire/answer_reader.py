"""Reads answers: skips interim ones, and says whether the connection can be reused."""

import http.client
import io
import ssl
from typing import Any

INTERIM_ANSWERS = 100
"""How many 1xx answers are skipped at most before the final one."""


class _Lines(io.BufferedReader):
    """Lines that hold no bare CR, which RFC 9112, 2.2 forbids.

    Python ends a header line at a bare CR as well, so one line could hold 16,000 headers.
    """

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
            raise http.client.HTTPException("bare CR")
        return line


class Reader(http.client.HTTPResponse):
    """An answer that skips interim ones and says whether its connection may be used again."""

    fp: Any

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        """Read from a timed socket, or from TLS inside a proxy's TLS, which holds one."""
        super().__init__(sock, *arguments, **options)
        self.fp = _Lines(self.fp.detach())
        self._connected = sock
        self.reusable = False
        """Whether the answer was read whole, had a certain end, and nothing came after it."""

    def _read_status(self) -> tuple[str, int, str]:
        """The final answer's status line (RFC 9110, 15.2); a 101 is final: none follows it."""
        for _ in range(INTERIM_ANSWERS):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == http.HTTPStatus.SWITCHING_PROTOCOLS or not 100 <= status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim answers")

    def _close_conn(self) -> None:
        """http.client calls this once the body is read or given up."""
        self.reusable = self._is_plainly_framed() and self._is_last()
        super()._close_conn()  # type: ignore[misc]

    def _is_plainly_framed(self) -> bool:
        """Whether every reader agrees where the answer ends, and it was read to there."""
        if self.version != 11 or self.will_close or self.headers.defects or self.status < 200:
            return False
        codings = self.headers.get_all("Transfer-Encoding", [])
        lengths = self.headers.get_all("Content-Length", [])
        if codings:
            return [coding.lower() for coding in codings] == ["chunked"] and not lengths
        if self.status in (204, 304):
            return lengths in ([], ["0"])
        return self.length == 0 and len(lengths) == 1 and lengths[0].isdecimal()

    def _is_last(self) -> bool:
        """Whether nothing has arrived after the answer so far."""
        self._connected.socket.limit = None  # Each call sets it anew.
        self._connected.settimeout(0)
        try:
            return not self.fp.peek(1)
        except ssl.SSLWantReadError:
            return True
        except (OSError, ValueError):
            return False
