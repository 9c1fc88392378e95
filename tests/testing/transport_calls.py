"""Calls over a transport, as the tests of the wire make them, and upstreams for them."""

import os
import socket
from types import SimpleNamespace

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.redaction import Secrets
from parley.wire.transport import Upstream
from testing.builders import KEY

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Request-Id: req_1\r\n"
END = b"0\r\n\r\n"
SOON = 5.0
"""Seconds: a second, and what a busy machine may add to it."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(transport, url, body=None, *, path="/chat/completions", limit=1_000_000, deadline=None):
    """One call with the test's key, whose answer arrives as a stream."""
    url = url if isinstance(url, BaseUrl) else BaseUrl.parse(url)
    upstream, deadline = Upstream(url, KEY, Secrets(KEY)), deadline or Deadline.after(20)
    return transport.post(upstream, path, body or {"model": "m"}, limit=limit, deadline=deadline)


def post(transport, url, body=None, *, seconds=5, **options):
    """The same, and its whole answer."""
    with stream(transport, url, body, deadline=Deadline.after(seconds), **options) as answer:
        told = {"status": answer.status, "headers": answer.headers, "request_id": answer.request_id}
        return SimpleNamespace(**told, body=answer.whole())


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # A folder of /proc.


def addresses(*found: str):
    """A look-up that finds these addresses, whatever is asked."""

    def look_up(host: str, port: int, **_: object) -> list[tuple]:
        families = (socket.AF_INET6 if ":" in ip else socket.AF_INET for ip in found)
        return [
            (family, socket.SOCK_STREAM, 6, "", (ip, port))
            for family, ip in zip(families, found, strict=True)
        ]

    return look_up


def nothing(*_: object, **__: object) -> list[tuple]:
    """A look-up that nobody may ask."""
    raise AssertionError("a name was looked up")
