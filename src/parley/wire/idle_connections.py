"""Connections that wait for their next call: a bounded number of them, for a bounded time."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.util.connection import is_connection_dropped

IDLE_SECONDS = 30
"""How long a connection is kept for the next call; its upstream may have closed it by then."""


class Idle:
    """The idle connections of many hosts, of which the oldest go first; thread-safe."""

    def __init__(self, most: int) -> None:
        """Keep up to `most` connections, all hosts together."""
        self._most = most
        self._lock = threading.Lock()
        self._by_pool: dict[Any, list[tuple[float, HTTPConnection]]] = {}
        self._is_watched = False

    def take(self, pool: object) -> HTTPConnection | None:
        """The pool's connection that was used last, or None.

        One on which something arrived meanwhile is closed: nobody has asked for anything.
        """
        while True:
            with self._lock:
                if not (waiting := self._by_pool.get(pool)):
                    return None
                _, connection = waiting.pop()
                self._forget_empty()
            if not is_connection_dropped(connection):
                return connection
            connection.close()

    def keep(self, pool: object, connection: HTTPConnection) -> None:
        """Keep a connection of a pool for its next call."""
        with self._lock:
            self._by_pool.setdefault(pool, []).append((time.monotonic(), connection))
            surplus = self._pop_oldest() if self._count() > self._most else None
            begin = not self._is_watched
            self._is_watched = True
        _close([surplus] if surplus else [])
        if begin:
            try:
                threading.Thread(target=self._watch, name="idle", daemon=True).start()
            except RuntimeError:  # No thread is to be had; the number is bounded all the same.
                self._is_watched = False

    def close(self, pool: object) -> None:
        """Close all that a pool keeps here."""
        with self._lock:
            waiting = self._by_pool.pop(pool, [])
        _close(connection for _, connection in waiting)

    def _watch(self) -> None:
        """Close what waits for too long, until nothing waits."""
        watched = True
        while watched:
            time.sleep(IDLE_SECONDS / 4)
            old = []
            with self._lock:
                while self._by_pool and self._oldest() + IDLE_SECONDS <= time.monotonic():
                    old.append(self._pop_oldest())
                watched = self._is_watched = bool(self._by_pool)
            _close(old)

    def _count(self) -> int:
        return sum(len(waiting) for waiting in self._by_pool.values())

    def _oldest(self) -> float:
        return min(waiting[0][0] for waiting in self._by_pool.values())

    def _pop_oldest(self) -> HTTPConnection:
        waiting = min(self._by_pool.values(), key=lambda waiting: waiting[0][0])
        _, connection = waiting.pop(0)
        self._forget_empty()
        return connection

    def _forget_empty(self) -> None:
        self._by_pool = {pool: waiting for pool, waiting in self._by_pool.items() if waiting}


def _close(connections: Iterable[HTTPConnection]) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.close()
