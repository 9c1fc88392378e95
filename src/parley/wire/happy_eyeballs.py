"""Looks host names up, and connects to whichever of a host's addresses answers first."""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import chain, zip_longest
from typing import Any

import gevent
from gevent.monkey import get_original

from parley.errors import UpstreamUnavailable
from parley.wire.sockets import YieldingSocket

STAGGER_SECONDS = 0.25  # How long to wait before the next address is tried, too (RFC 8305, 8).
ADDRESSES = 10  # How many are tried at most: a host that a caller names may have any number.
FILES_LEFT = 16  # How many more one should be able to open, for a look-up and ten tries.
# An address family and what `socket.connect` takes in it.
Address = tuple[socket.AddressFamily, tuple[Any, ...]]
LookUp = Callable[..., list[Any]]  # What takes and returns what getaddrinfo does.


def is_short_of_files() -> bool:
    """Whether the process cannot open FILES_LEFT more files; it takes 30 microseconds to try."""
    opened: list[int] = []
    try:
        while len(opened) < FILES_LEFT:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return True
    finally:
        for descriptor in opened:
            get_original("os", "close")(descriptor)  # gevent's closes later.
    return False


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
    untried = interleaved(addresses)[:ADDRESSES]
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


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The addresses with their families in turn; the first address stays first."""
    families = dict.fromkeys(family for family, _ in addresses)
    ranks = zip_longest(*([item for item in addresses if item[0] == one] for one in families))
    return [address for address in chain.from_iterable(ranks) if address]


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
