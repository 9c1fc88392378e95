"""Names to addresses, in time."""

import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from parley.deadline import Deadline
from parley.errors import UpstreamUnavailable

LOOK_UPS = 32
"""How many look-ups may be under way at once; the system's cannot be interrupted."""

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""An address family and what `socket.connect` takes in it."""


class Resolver:
    """Looks names up in threads of its own, so that nobody waits longer than they may."""

    def __init__(self, look_up: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        """Ask `look_up`, which has the form of getaddrinfo."""
        self._look_up = look_up
        self._pool = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="resolver")
        self._under_way: dict[tuple[str, int], Future[list[Any]]] = {}
        self._lock = Lock()

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """The host's addresses; raise UpstreamUnavailable where it has none, or the deadline's."""
        look_up = self._begin(host, port)
        try:
            found = look_up.result(deadline.left())
        except TimeoutError:
            raise deadline.error() from None
        except (OSError, UnicodeError):
            raise UpstreamUnavailable(
                "The upstream's host name was not found; check the base URL."
            ) from None
        return [(family, address) for family, _, _, _, address in found]

    def _begin(self, host: str, port: int) -> Future[list[Any]]:
        """Begin a look-up, or wait with those who asked the same before it was answered.

        Of a thousand callers at once a tenth would otherwise wait too long in the queue.
        """
        asked = host, port
        with self._lock:
            if asked in self._under_way:
                return self._under_way[asked]
            look_up = self._pool.submit(self._look_up, host, port, type=socket.SOCK_STREAM)
            self._under_way[asked] = look_up
        look_up.add_done_callback(lambda _: self._under_way.pop(asked))
        return look_up
