"""Compressed answers that no call may take, as a table like the others."""

import gzip
import socket
from contextlib import suppress

from testing.fake_openai import Request, http
from testing.upstream_faults import Behaviour, Fault, says

# About 1 MB that unpacks to 300 MB. Ten copies of one member are a whole file (RFC 1952, 2.2): each
# is over every limit, and packing one takes a tenth of the time.
BOMB = http(gzip.compress(bytes(30_000_000), 1) * 10, Content_Encoding="gzip")

GZIPPED = gzip.compress(b"{}")
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
"""A block of deflate without content (RFC 1951, 3.2.4)."""


def decodes_to_nothing(coding: str, first: bytes, again: bytes) -> Behaviour:
    """A body without end that is compressed, and holds nothing."""

    def behave(connection: socket.socket, request: Request) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 10000000000\r\n"
        connection.sendall(head.encode() + b"\r\n" + first)
        with suppress(OSError):
            for _ in range(10_000):
                connection.sendall(again * (65_536 // len(again)))

    return behave


CODED = [
    Fault("a gzip bomb", says(BOMB), "upstream_malformed", 1, 1),
    Fault(
        "two codings",
        says(http(gzip.compress(GZIPPED), Content_Encoding="gzip, gzip")),
        "upstream_malformed",
    ),
    Fault("a coding of its own", says(http(b"{}", Content_Encoding="br")), "upstream_malformed"),
    Fault(
        "deflate of nothing, without end",
        decodes_to_nothing("deflate", b"\x78\x01", EMPTY_BLOCK),
        "upstream_malformed",
    ),
    Fault(
        "gzip of nothing, without end",
        decodes_to_nothing("gzip", b"", gzip.compress(b"")),
        "upstream_malformed",
    ),
    Fault("gzip that is none", says(http(b"{}", Content_Encoding="gzip")), "upstream_malformed"),
]
