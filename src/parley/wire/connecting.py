"""Opens a TCP connection to whichever of a host's addresses answers first."""

import errno
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, zip_longest

from parley.deadline import Deadline
from parley.errors import UpstreamUnavailable
from parley.wire.resolver import Address
from parley.wire.timed_sockets import TimedSocket

STAGGER_SECONDS = 0.25
"""How long to wait for an address before the next is tried in parallel (RFC 8305, section 8)."""

ADDRESSES = 10
"""How many addresses are tried at most; a host that a caller names may have any number."""


def connect(addresses: Sequence[Address], window: Deadline) -> TimedSocket:
    """A socket connected to one of the addresses, which keeps `window`.

    IPv6 and IPv4 take turns, and a slow address does not hold up the next (RFC 8305, sections 4
    and 5). Raises UpstreamUnavailable if all of them fail, or what the window raises.
    """
    untried = interleaved(addresses)[:ADDRESSES]
    pending: dict[int, TimedSocket] = {}
    try:
        while untried or pending:
            seconds = window.slice()
            if untried and (begun := _begin(untried.pop(0))):
                pending[begun.fileno()] = begun
            for number in _settled(pending, min(seconds, STAGGER_SECONDS) if untried else seconds):
                if pending[number].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    pending[number].limit = window
                    # `ssl` refuses to shake hands on a socket that does not block.
                    pending[number].settimeout(window.left())
                    return pending.pop(number)
                pending.pop(number).close()
        raise UpstreamUnavailable()
    finally:
        for abandoned in pending.values():
            abandoned.close()


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The addresses with their families in turn; the first address stays first."""
    families = dict.fromkeys(family for family, _ in addresses)
    ranks = zip_longest(*([item for item in addresses if item[0] == one] for one in families))
    return [address for address in chain.from_iterable(ranks) if address]


def _begin(address: Address) -> TimedSocket | None:
    """A socket that is connecting, or None if that failed at once."""
    family, where = address
    with suppress(OSError):  # The machine may have no IPv6, or the process no descriptor left.
        sock = TimedSocket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            sock.connect(where)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                sock.close()
                return None
        return sock
    return None


def _settled(pending: dict[int, TimedSocket], seconds: float) -> list[int]:
    """The descriptors of the sockets that connected or failed within that many seconds."""
    if not pending:
        return []
    poll = select.poll()
    for number in pending:
        poll.register(number, select.POLLOUT)
    return [number for number, _ in poll.poll(seconds * 1000)]
