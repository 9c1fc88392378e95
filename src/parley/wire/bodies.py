"""An upstream's answer: its body, decoded as it arrives and bounded, and its errors as ours."""

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from http.client import HTTPException
from typing import Any

from requests import Response, Timeout
from urllib3 import exceptions

from parley.deadline import Deadline
from parley.errors import UpstreamError, UpstreamMalformed, UpstreamTimeout, UpstreamUnavailable
from parley.redaction import Secrets, valid_request_id

PIECE_BYTES = 64 * 1024  # How much of an answer is read at once.
REFUSAL_BYTES = 512 * 1024  # The most of a refusal that is read: some repeat what they were sent.
SILENT_BYTES = 64 * 1024  # How much compressed input in a row may decode to nothing.
OTHERS = {"br": "Brotli", "zstd": "Zstandard"}
NOT_ASKED_FOR = "The upstream sent {} where gzip was asked for; turn its compression off."
DRAIN_SECONDS = 0.05  # The longest to wait for the rest of a body: a new connection takes longer.
Counted = Callable[[Iterator[bytes]], Iterable[bytes]]  # Passes pieces on, and counts their memory.
# What the layers below requests raise when an exchange fails; its own are each an OSError.
BROKEN = (exceptions.HTTPError, exceptions.ProxySchemeUnsupported, HTTPException, OSError)


def filled(head: bytes, pieces: Iterator[bytes], size: float = math.inf) -> bytes:
    """The head, and what follows it up to `size` bytes or more, if there are as many."""
    body = bytearray(head)  # A list of many small pieces takes many times their size.
    while len(body) < size and (piece := next(pieces, b"")):
        body += piece
    return bytes(body)


class ErrorsTranslated(AbstractContextManager[None]):
    """A block that raises our error for a foreign one, whose text may quote a key and is lost."""

    def __exit__(self, _: object, raised: object, __: object) -> None:
        if isinstance(raised, (Timeout, exceptions.TimeoutError)):
            raise UpstreamTimeout() from None
        if isinstance(raised, BROKEN):
            raise UpstreamUnavailable() from None


class Answer(AbstractContextManager["Answer"]):
    """An answer whose body arrives while it is read; leaving its `with` ends the call."""

    def __init__(self, response: Response, limit: int, secrets: Secrets, deadline: Deadline):
        """Accept at most `limit` bytes of body once decoded, and PIECE_BYTES more as sent."""
        self.status, self.headers = response.status_code, response.headers
        self.request_id = valid_request_id(response.headers.get("x-request-id", ""), secrets)
        self.response, self._raw = response, response.raw
        self._limit = limit if self.status < 300 else min(limit, REFUSAL_BYTES)
        self._secrets, self._deadline = secrets, deadline

    def __exit__(self, *_: object) -> None:
        with suppress(*BROKEN):
            self.response.close()

    def whole(self, counted: Counted = iter) -> bytes:
        """All of the body, whose pieces pass `counted`; raises as both do."""
        return filled(b"", iter(counted(self.pieces())))

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes; raise UpstreamMalformed, UpstreamUnavailable, DeadlineExceeded."""
        size = 0
        for piece in self._decoded():
            size += len(piece)
            if size > self._limit:
                if self.status >= 300:
                    return  # The status tells what it is.
                raise UpstreamMalformed()
            yield piece
        if self.status < 300 and not size:
            # An answer that is cut off in its headers looks like an empty success.
            framed = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
            if not framed and self.status != 204:
                raise UpstreamUnavailable()
            if self.status >= 200:  # Else it is a 101, and its status tells.
                raise UpstreamMalformed()

    def drain(self) -> None:
        """Read the rest of the body, if it comes at once, so that the connection serves again."""
        with suppress(UpstreamError, *BROKEN), Deadline.after(DRAIN_SECONDS).wait():
            while not self._raw.closed and self._raw.read1(PIECE_BYTES):
                pass

    def _decoded(self) -> Iterator[bytes]:
        name = self.headers.get("Content-Encoding", "").strip()
        coding = name.lower()
        if coding in ("", "identity"):
            yield from self._arriving()
        elif coding in ("gzip", "x-gzip"):  # One at most, since two can blow up without end.
            yield from self._inflated()
        elif self.status < 300:  # Else the status says enough.
            came = OTHERS.get(coding) or valid_request_id(name, self._secrets)
            raise UpstreamMalformed(NOT_ASKED_FOR.format(came or "a compression"))

    def _inflated(self) -> Iterator[bytes]:
        """The pieces, decompressed in bounded steps; each member begins with 1F (RFC 1952, 2.2)."""
        decoder: Any = None
        silent = 0
        for piece in self._arriving():
            rest = piece
            while rest:
                if decoder is None or decoder.eof:
                    if decoder and rest[0] != 0x1F:
                        break  # What follows the end and is no member is ignored, as elsewhere.
                    decoder = zlib.decompressobj(wbits=31)  # For gzip.
                size = len(rest)
                try:
                    decoded = decoder.decompress(rest, PIECE_BYTES)
                except zlib.error:
                    raise UpstreamMalformed() from None
                rest = decoder.unconsumed_tail or decoder.unused_data
                silent = 0 if decoded else silent + size - len(rest)
                if silent > SILENT_BYTES:
                    raise UpstreamMalformed()
                if decoded:
                    yield decoded
        if decoder and not decoder.eof and self.status < 300:
            raise UpstreamUnavailable()  # It is cut, whatever HTTP says.

    def _arriving(self) -> Iterator[bytes]:
        while not self._raw.closed:
            with ErrorsTranslated(), self._deadline.wait():
                piece = self._raw.read1(PIECE_BYTES)
            if not piece:
                return
            if self._raw.tell() > self._limit + PIECE_BYTES:
                raise UpstreamMalformed()
            yield piece
