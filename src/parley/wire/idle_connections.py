"""Idle connections, kept for their next call: a limited number of them, for a limited time."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.util.connection import is_connection_dropped

IDLE_SECONDS = 30
"""How long an idle connection is kept for the next call; its upstream may close it earlier."""


class Idle:
    """The idle connections to all hosts; the oldest are closed first. Thread-safe."""

    def __init__(self, most: int) -> None:
        """Keep up to `most` connections, to all hosts in total."""
        self._most = most
        self._lock = threading.Lock()
        self._by_pool: dict[Any, list[tuple[float, HTTPConnection]]] = {}
        self._is_watched = False

    def take(self, pool: object) -> HTTPConnection | None:
        """The pool's most recently used connection, or None.

        A connection on which something arrived meanwhile is closed: nobody asked for it.
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
        """Keep a pool's connection for its next call."""
        with self._lock:
            self._by_pool.setdefault(pool, []).append((time.monotonic(), connection))
            surplus = self._pop_oldest() if self._count() > self._most else None
            begin = not self._is_watched
            self._is_watched = True
        _close([surplus] if surplus else [])
        if begin:
            try:
                threading.Thread(target=self._watch, name="idle", daemon=True).start()
            except RuntimeError:  # No thread is available; the number of connections stays limited.
                self._is_watched = False

    def close(self, pool: object) -> None:
        """Close all of a pool's idle connections."""
        with self._lock:
            waiting = self._by_pool.pop(pool, [])
        _close(connection for _, connection in waiting)

    def _watch(self) -> None:
        """Close connections that were idle for too long, until none is left."""
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
