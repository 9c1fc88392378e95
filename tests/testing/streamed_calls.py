"""Streamed calls over a transport, and an upstream that answers them in steps."""

import socket
import threading
from collections.abc import Callable

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.redaction import Secrets
from parley.wire.bodies import StreamedAnswer
from parley.wire.messages import Upstream
from testing import fake_openai as fake
from testing.builders import KEY

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Request-Id: req_1\r\n"
END = b"0\r\n\r\n"
SOON = 5.0
"""Seconds: a second, and what a busy machine may add to it."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(transport, url, limit=1_000_000, deadline=None):
    upstream = Upstream(BaseUrl.parse(url), KEY, Secrets(KEY))
    deadline = deadline or Deadline.after(20)
    return transport.stream(
        upstream, "/chat/completions", {"stream": True}, limit=limit, deadline=deadline
    )


def extend(taken: bytearray, answer: StreamedAnswer) -> None:
    """Take the pieces one by one, so that those before a failure are seen."""
    for piece in answer.pieces():
        taken += piece


def in_steps(upstream, *parts: bytes) -> Callable[[], None]:
    """Answer with the first part, and with one more each time that what is returned is called."""
    step = threading.Semaphore(1)

    def answer(connection: socket.socket, request: fake.Request) -> bool:
        for part in parts:
            if not step.acquire(timeout=10):
                return False
            connection.sendall(part)
        return True

    upstream.answers["text"] = answer
    return step.release
