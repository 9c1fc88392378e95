"""Callers' connections: how long each may take, and which one is closed when there are too many."""

import errno
import math
import socket
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from parley.deadline import Deadline
from parley.wire.timed_sockets import TimedSocket

SILENCE_SECONDS = 20
"""How long a caller may send nothing within a request, or read nothing of its answer."""

REQUEST_SECONDS = 100
"""How long a request may take to arrive, from its first byte on."""

LINGER_SECONDS = 2
"""How long a connection that the service ends is still read, so that the answer gets through."""

PARTING_SECONDS = 1
"""How long a connection may still bring a request once the service is told to stop."""

LINGER_BYTES = 64 * 1024
UNSENT_BYTES = 128 * 1024
"""How much of an answer the kernel may hold that is not on its way: what shows a slow reader's
progress. Without it, hundreds of kilobytes must be read before any of it is seen."""


class CallerStalled(TimeoutError):
    """A caller let one of these times pass; gunicorn closes such a connection without a word."""

    def __init__(self) -> None:
        """Be told as a connection that was reset."""
        super().__init__(errno.ECONNRESET, "The caller stalled.")


class Closable(Protocol):
    """A request, as gunicorn has it."""

    def force_close(self) -> None:
        """Have its answer say that the connection closes."""


class CallerConnection(TimedSocket):
    """The connection of one caller; the server says when a request begins and ends.

    A caller waits (for a request, or for the rest of one to be drained) or is served, and only one
    that waits may be dismissed.
    """

    def __init__(self, callers: "CallerConnections", fileno: int) -> None:
        """Take over an accepted connection."""
        super().__init__(fileno=fileno)
        self.request: Closable | None = None
        self._callers = callers
        self._answered = self._ended = self._dismissed = False
        if self.family in (socket.AF_INET, socket.AF_INET6):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.await_request()

    def await_request(self) -> None:
        """Wait for the first byte of a request as long as an idle connection is kept."""
        self.request = None
        self.idle = True
        self.limit = Deadline(time.monotonic() + self._callers.idle_seconds, CallerStalled)
        self._callers.waits(self)

    def serve(self, request: Closable) -> None:
        """The headers of a request have arrived; its body keeps the time that they began."""
        if self.idle:
            self._begin()  # It was sent together with the request before.
        self.request = request
        self._callers.is_served(self)

    def answer(self) -> None:
        """From here on time is the reader's: an answer of any length, without a long silence."""
        self._answered = True
        self.limit = Deadline(math.inf, CallerStalled, SILENCE_SECONDS)

    def drain(self, seconds: float) -> None:
        """The answer is out; what is still sent may take that long."""
        self.limit = Deadline(time.monotonic() + seconds, CallerStalled, SILENCE_SECONDS)
        self._callers.waits(self)

    def dismiss(self) -> None:
        """End the connection under whoever waits for it."""
        self._dismissed = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def recv(self, *arguments: Any, **options: Any) -> bytes:
        """Receive; the first byte begins a request's time."""
        try:
            data = super().recv(*arguments, **options)
        except OSError:
            if not self._dismissed:
                raise
            data = b""  # gevent wakes who waits with an error of its own; it is an end like others.
        self._ended = not data
        if data and self.idle:
            self._begin()
        return data

    def close(self) -> None:
        """Close, after an answer as RFC 9112, 9.6 asks: a reset could overtake it."""
        try:
            if self._answered and not self._ended:
                self._linger()
        finally:
            super().close()

    def _begin(self) -> None:
        self.idle = False
        until = time.monotonic() + REQUEST_SECONDS
        self.limit = Deadline(until, CallerStalled, SILENCE_SECONDS)

    def _linger(self) -> None:
        self.drain(LINGER_SECONDS)
        self.idle = False
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            while self.recv(LINGER_BYTES):
                pass


class CallerConnections:
    """The open connections of a process, of which those that wait are known by how long."""

    def __init__(self, most: int, idle_seconds: float) -> None:
        """Keep `most` connections, and idle ones that long."""
        self.most = most
        self.idle_seconds = idle_seconds
        self._open: set[CallerConnection] = set()
        self._waiting: OrderedDict[CallerConnection, None] = OrderedDict()

    @contextmanager
    def entering(self, fileno: int) -> Iterator[CallerConnection]:
        """A caller on that descriptor, known while the block runs; the longest idle may go."""
        caller = CallerConnection(self, fileno)
        self._open.add(caller)
        if len(self._open) > self.most:
            self.dismiss_one()
        try:
            yield caller
        finally:
            self._open.discard(caller)
            self._waiting.pop(caller, None)

    def waits(self, caller: CallerConnection) -> None:
        """Note that a caller owes and is owed nothing, from now on."""
        self._waiting[caller] = None
        self._waiting.move_to_end(caller)

    def is_served(self, caller: CallerConnection) -> None:
        """Note that a caller is not to be dismissed."""
        self._waiting.pop(caller, None)

    def dismiss_one(self) -> bool:
        """Dismiss who has waited longest; whether there was one."""
        if not self._waiting:
            return False
        caller, _ = self._waiting.popitem(last=False)
        caller.dismiss()
        return True

    def part(self) -> None:
        """The service stops: answers that are not out yet close their connections."""
        self.idle_seconds = PARTING_SECONDS
        for caller in self._open:
            if caller.request:
                caller.request.force_close()

    def dismiss_idle(self) -> None:
        """Dismiss all of whom no byte of a request has come."""
        for caller in list(self._waiting):
            if caller.idle:
                caller.dismiss()
