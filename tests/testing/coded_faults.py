"""Compressed answers that no call may take, as a table like the others."""

import gzip
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress

from testing.fake_openai import Request, good, http
from testing.upstream_faults import Behaviour, Fault, says

# 13 MB that unpack to 3 GB, in some seconds. A hundred copies of one member are a whole file (RFC
# 1952, 2.2): each is over every limit, and packing one takes a hundredth of the time.
BOMB = http(gzip.compress(bytes(30_000_000), 1) * 100, Content_Encoding="gzip")
NOTHING = gzip.compress(b"")


def packed(coding: str, pack: Callable[[bytes], bytes]) -> Behaviour:
    """What would be a good answer, were it not packed so."""

    def behave(connection: socket.socket, request: Request) -> bool:
        body = good(request).partition(b"\r\n\r\n")[2]
        connection.sendall(http(pack(body), Content_Encoding=coding))
        return True

    return behave


def endless(connection: socket.socket, request: Request) -> None:
    """A body without end that is compressed, and holds nothing."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    with suppress(OSError):
        for _ in range(10_000):
            connection.sendall(NOTHING * 3000)


REFUSED_CODINGS = {
    "gzip twice": packed("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    "a coding that was not asked for": packed("br", lambda body: body),
    "gzip without end": endless,
    "gzip that begins with nothing": packed("gzip", lambda b: NOTHING * 10_000 + gzip.compress(b)),
    "deflate, which was not asked for": packed("deflate", zlib.compress),
    "gzip that is none": packed("gzip", lambda body: body),
}
CUT_CODINGS = {
    "gzip that is cut": packed("gzip", lambda body: gzip.compress(body)[:-9]),
    "gzip cut in its second member": packed(
        "gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])[:-9]
    ),
}
CODED = [
    Fault("a gzip bomb", says(BOMB), "upstream_malformed", 1, 4),
    *(Fault(name, behave, "upstream_malformed") for name, behave in REFUSED_CODINGS.items()),
    *(Fault(name, behave, "upstream_unavailable", 3) for name, behave in CUT_CODINGS.items()),
]
