"""Reads answers: skips interim ones, bounds headers, and keeps a connection only if it is clean."""

import http.client
import io
import socket
import time
from contextlib import suppress
from typing import Any

from parley.wire.sockets import under_tls

HEAD_BYTES = 64 * 1024  # Of all headers of an answer, interim ones included, or its trailers.
HEAD_LINES = 400


class _Lines(io.BufferedReader):
    """Lines without a bare CR (RFC 9112, 2.2), at which Python would end a header; few of them."""

    _bytes, _lines = HEAD_BYTES, HEAD_LINES

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self._bytes -= len(line)
        self._lines -= 1
        if self._bytes < 0 or self._lines < 0 or line.find(b"\r", 0, -2) >= 0:
            raise http.client.HTTPException("too many lines, or a bare CR")
        return line

    def read1(self, size: int = -1, /) -> bytes:
        self._bytes, self._lines = HEAD_BYTES, HEAD_LINES
        return super().read1(size)


class AnswerReader(http.client.HTTPResponse):
    """An answer that skips interim ones, and drops its connection unless its end is certain."""

    fp: Any

    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = _Lines(self.fp.detach())
        self._socket = under_tls(sock)
        self._socket.is_receiving = True

    def begin(self) -> None:
        """Read the headers of the final answer; no other follows it if its end is uncertain."""
        super().begin()
        codings = [coding.lower() for coding in self.headers.get_all("Transfer-Encoding", [])]
        lengths = self.headers.get_all("Content-Length", [])
        # As http.client itself reads it.
        framing = (["chunked"], []) if self.chunked else ([], [str(self.length)])
        is_odd = self.version != 11 or self.headers.defects or (codings, lengths) != framing
        if is_odd and self.status != 101:
            self.will_close = True

    def _read_status(self) -> tuple[str, int, str]:
        """The final answer's status line (RFC 9110, 15.2); a 101 is final: none follows it."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == 101 or not 100 <= status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def _close_conn(self) -> None:
        """Keep the connection or shut it down: http.client calls this behind the body."""
        if self.headers is not None:  # Else it is a proxy's answer to CONNECT, and goes on.
            if self._ends_here() and not self._socket.is_cut_short:
                self._socket.idle_since = time.monotonic()
            else:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]

    def _ends_here(self) -> bool:
        """Whether the answer was read to its end, and nothing was received after it."""
        if self.will_close or self.status < 200 or not (self.chunked or self.length == 0):
            return False
        self._socket.is_receiving = False  # Until the next answer: what was received is looked at.
        try:
            return not self.fp.peek(1)
        except (OSError, ValueError):
            return False
