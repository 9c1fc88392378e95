"""Looks host names up in time."""

import socket
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Any

from parley.deadline import Deadline
from parley.errors import UpstreamUnavailable

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""An address family and what `socket.connect` takes in it."""


class Resolver:
    """Looks names up, and waits for each no longer than a deadline.

    A look-up cannot be interrupted, so each runs in a thread of its own, which ends with it. Under
    gevent that is a greenlet: any number of slow look-ups may run, and none delays another. With
    real threads, a name that resolves slowly keeps its thread until the system gives up.
    """

    def __init__(self, look_up: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        """Look names up with `look_up`, which takes and returns what getaddrinfo does."""
        self._look_up = look_up
        self._under_way: dict[tuple[str, int], Future[list[Any]]] = {}
        self._lock = Lock()

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """The host's addresses; raise UpstreamUnavailable if there are none, or as the deadline."""
        look_up = self._begin(host, port)
        while not look_up.done():
            wait([look_up], deadline.slice())
        try:
            found = look_up.result()
        except (OSError, UnicodeError):
            raise UpstreamUnavailable(
                "The upstream's host name was not found; check the base URL."
            ) from None
        return [(family, address) for family, _, _, _, address in found]

    def _begin(self, host: str, port: int) -> Future[list[Any]]:
        """Start a look-up, or join one for the same name that is still running."""
        asked = host, port
        with self._lock:
            if asked in self._under_way:
                return self._under_way[asked]
            look_up = self._under_way[asked] = Future()
        try:
            Thread(target=self._run, args=(asked, look_up), name="look-up", daemon=True).start()
        except RuntimeError:  # No thread is available.
            self._finish(asked).set_exception(OSError())
        return look_up

    def _run(self, asked: tuple[str, int], look_up: Future[list[Any]]) -> None:
        try:
            found = self._look_up(*asked, type=socket.SOCK_STREAM)
        except Exception as error:
            self._finish(asked)
            look_up.set_exception(error)
        else:
            self._finish(asked)
            look_up.set_result(found)

    def _finish(self, asked: tuple[str, int]) -> Future[list[Any]]:
        with self._lock:
            return self._under_way.pop(asked)
