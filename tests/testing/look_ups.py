"""Look-ups of names that a test answers, and a call that would connect."""

import socket

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.redaction import Secrets
from parley.wire.messages import Upstream
from parley.wire.transport import Transport
from testing.builders import KEY


def addresses(*found: str):
    """A look-up that finds these addresses, whatever is asked."""

    def look_up(host: str, port: int, **_: object) -> list[tuple]:
        return [
            (
                socket.AF_INET6 if ":" in ip else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (ip, port),
            )
            for ip in found
        ]

    return look_up


def post(transport: Transport, url: BaseUrl):
    """A call that would connect."""
    upstream, deadline = Upstream(url, KEY, Secrets(KEY)), Deadline.after(5)
    with transport.stream(upstream, "/", {}, limit=9, deadline=deadline) as answer:
        return answer.whole()


def nothing(*_: object, **__: object) -> list[tuple]:
    """A look-up that nobody may ask."""
    raise AssertionError("a name was looked up")
