"""urllib3's connections, extended: to the first of a host's addresses that answers, in time."""

import http.client
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import chain, zip_longest
from typing import Any

import gevent
from gevent.monkey import get_original
from urllib3.connection import HTTPConnection, HTTPSConnection

from parley.deadline import Deadline
from parley.errors import StaleConnection, UpstreamTimeout, UpstreamUnavailable
from parley.wire.answer_reader import AnswerReader
from parley.wire.sockets import YieldingSocket, has_event, under_tls

CONNECT_SECONDS = 5  # For the name look-up, connecting and the TLS handshake together.
IDLE_SECONDS = 30  # How long a connection may be idle: some routes drop those silently.
STAGGER_SECONDS = 0.25  # How long to wait before the next address is tried, too (RFC 8305, 8).
ADDRESSES = 10  # How many are tried at most: a host that a caller names may have any number.
FILES_LEFT = 16  # How many more one should be able to open, for a look-up and ten tries.
# An address family and what `socket.connect` takes in it.
Address = tuple[socket.AddressFamily, tuple[Any, ...]]
Resolve = Callable[[str, int], Sequence[Address]]
LookUp = Callable[..., list[Any]]  # What takes and returns what getaddrinfo does.


def is_short_of_files() -> bool:
    """Whether the process cannot open FILES_LEFT more files; it takes 30 microseconds to try."""
    with suppress(OSError), ExitStack() as opened:
        for _ in range(FILES_LEFT):  # gevent's `close` closes later.
            opened.callback(get_original("os", "close"), os.open(os.devnull, os.O_RDONLY))
        return False
    return True


def resolve(look_up: LookUp, host: str, port: int) -> list[Address]:
    """The host's addresses; raise UpstreamUnavailable if there are none."""
    try:
        found = look_up(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        sentence = "The upstream's host name was not found; check the base URL."
        raise UpstreamUnavailable(sentence) from None
    return [(family, address) for family, _, _, _, address in found]


def connect(addresses: Sequence[Address]) -> YieldingSocket:
    """A socket to one of the addresses (RFC 8305, 4, 5); raise UpstreamUnavailable if all fail."""
    families = dict.fromkeys(family for family, _ in addresses)
    # Their families take turns; the first address stays first.
    ranks = zip_longest(*([item for item in addresses if item[0] == one] for one in families))
    untried = [address for address in chain.from_iterable(ranks) if address][:ADDRESSES]
    tries: list[gevent.Greenlet] = []
    try:
        while untried or tries:
            if untried:
                tries.append(gevent.spawn(_connected, untried.pop(0)))
            for done in gevent.wait(tries, STAGGER_SECONDS if untried else None, count=1):
                tries.remove(done)
                if isinstance(done.value, YieldingSocket):
                    return done.value
        raise UpstreamUnavailable()
    finally:
        for abandoned in tries:
            abandoned.link(_close)  # It may have connected meanwhile.
            abandoned.kill(block=False)


def _connected(address: Address) -> YieldingSocket | None:
    """A connected socket; None if the address, the machine or the process does not allow it."""
    family, where = address
    with suppress(OSError), ExitStack() as opened:
        sock: YieldingSocket = opened.enter_context(YieldingSocket(family, socket.SOCK_STREAM))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(where)
        opened.pop_all()
        return sock
    return None


def _close(abandoned: gevent.Greenlet) -> None:
    if isinstance(abandoned.value, YieldingSocket):
        abandoned.value.close()


class PlainConnection(HTTPConnection):
    """A connection, in plain unless it is a TLSConnection; AnswerReader reads its answers."""

    response_class: Any = AnswerReader
    putheader = http.client.HTTPConnection.putheader  # urllib3's looks for headers to leave out.

    def __init__(self, *arguments: Any, resolve: Resolve, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._resolve = resolve

    def _new_conn(self) -> YieldingSocket:
        """Connect to one of the host's addresses, which `resolve` looks up and checks, once."""
        return connect(self._resolve(self.host, self.port or 0))

    def connect(self) -> None:
        """Connect and shake hands in time. Nothing was sent yet: the call may be tried again."""
        with Deadline.after(CONNECT_SECONDS, lambda: UpstreamTimeout(retry=True)).wait():
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
        """Whether a pool may use it again: briefly idle, with nothing unread, not even its end."""
        sock: Any = self.sock and under_tls(self.sock)
        is_idle = sock and time.monotonic() <= sock.idle_since + IDLE_SECONDS  # Else new, or stale.
        return bool(is_idle and not has_event(sock, select.POLLIN))


class TLSConnection(PlainConnection, HTTPSConnection):
    """The same connection, in TLS."""
