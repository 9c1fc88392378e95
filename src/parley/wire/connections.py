"""urllib3's connections, extended to connect to checked addresses only, in time."""

import select
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from parley.deadline import Deadline
from parley.errors import StaleConnection, UpstreamTimeout
from parley.wire.answer_reader import AnswerReader
from parley.wire.happy_eyeballs import Address, connect
from parley.wire.sockets import YieldingSocket, has_event, under_tls

CONNECT_SECONDS = 5  # For the name look-up, connecting and the TLS handshake together.
IDLE_SECONDS = 30  # How long a connection may be idle: some routes drop those silently.
Resolve = Callable[[str, int], Sequence[Address]]


class PlainConnection(HTTPConnection):
    """A connection in plain, whose answers are read by AnswerReader."""

    response_class: Any = AnswerReader

    def __init__(self, *arguments: Any, resolve: Resolve, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._resolve = resolve

    def _new_conn(self) -> YieldingSocket:
        """Connect to one of the host's addresses, which are resolved and checked here, once."""
        return connect(self._resolve(self.host, self.port or 0))

    def connect(self) -> None:
        """Connect and shake hands in time. Nothing was sent yet: the call may be tried again."""
        with Deadline.after(CONNECT_SECONDS, partial(UpstreamTimeout, retry=True)).wait():
            super().connect()

    def getresponse(self) -> Any:
        """The answer, once its headers are there; raise StaleConnection if it is one."""
        was_used = under_tls(self.sock).idle_since > 0
        try:
            return super().getresponse()
        except ConnectionResetError:  # http.client's RemoteDisconnected is one, too.
            if was_used:
                raise StaleConnection() from None
            raise

    @property
    def is_connected(self) -> bool:
        """Whether it is open, and nothing unread has arrived, below TLS, not even its end."""
        sock: Any = self.sock and under_tls(self.sock)
        is_kept = sock and time.monotonic() <= sock.idle_since + IDLE_SECONDS
        return bool(is_kept and not has_event(sock, select.POLLIN))


class TLSConnection(PlainConnection, HTTPSConnection):
    """A connection in TLS."""
