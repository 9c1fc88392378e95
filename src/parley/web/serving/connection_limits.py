"""Callers' connections: how long each may take, and which is closed when there are too many."""

import errno
import math
import select
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.util import close_graceful
from werkzeug.wrappers import Request

from parley.deadline import Deadline, let_others_run
from parley.errors import ConversationError, Interrupted
from parley.wire.sockets import YieldingSocket, has_event

SILENCE_SECONDS = 20  # How long a caller may send nothing of a request, or read nothing.
REQUEST_SECONDS = 100  # How long a request may take to arrive, from its first byte on.
DRAIN_BYTES, DRAIN_SECONDS, DRAIN_PAUSE_SECONDS = 32 * 1024 * 1024, 20, 2
"""How much is read of a connection that closes, for how long, and how long it may be silent."""
STOP_SECONDS = 1  # How long a connection may still bring a request when the service stops.
FINISH_SECONDS = 4  # How long before the end of the grace period a stream finishes.
RECEIVED_BYTES = 64 * 1024  # At once: gunicorn asks for a megabyte of a long body, and keeps it.
UNSENT_BYTES = 128 * 1024  # In the kernel: with more, a slow reader's progress is seen too seldom.
HAS_LEFT = getattr(select, "POLLRDHUP", select.POLLHUP)
"""The event of a connection whose other side was closed. macOS has none for a side that only sends
no more: there, a caller is seen to leave once the whole connection is closed."""

end_of_streams = Deadline(math.inf, Interrupted)
"""The process's own: past it, streams end with an event. There is no such moment until SIGTERM."""
stalled = partial(TimeoutError, errno.ECONNRESET, "The caller stalled.")
"""What is raised when a caller takes too long; within headers, gunicorn then closes silently."""


class CallerConnection(YieldingSocket):
    """The connection of one caller; the worker says when a request begins and ends."""

    request: Any  # gunicorn's request, once its headers have arrived.
    refusal: ConversationError | None = None  # What the app answers, if no request is readable.
    _disconnected = False

    def __init__(self, connections: "CallerConnections", fileno: int) -> None:
        super().__init__(fileno=fileno)
        self._connections = connections
        if self.family in (socket.AF_INET, socket.AF_INET6):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.await_request()

    def await_request(self) -> None:
        """Wait for the first byte of a request, as long as an idle connection is kept."""
        self.request = None
        self.has_begun_answer = self._is_answer = False
        self.idle = True
        self.deadline = Deadline.after(self._connections.idle_seconds, stalled)
        self._connections.mark_waiting(self)

    def start_request(self, request: Any) -> None:
        """The headers have arrived; the body must arrive in the rest of the request's time."""
        if self.idle:
            self._start_time()  # The caller sent this request together with the one before.
        self.request = request
        self._connections.waiting.pop(self, None)

    def start_answer(self) -> None:
        """Limit only silence from here on: the caller may take any time to read a long answer."""
        self._is_answer = True
        self.deadline = Deadline(math.inf, stalled, SILENCE_SECONDS)
        if self.request:
            reader = self.request.body.reader
            if reader.parser if isinstance(reader, ChunkedReader) else reader.length:
                self.request.force_close()  # The rest would be read as a request.

    def disconnect(self) -> None:
        """Shut the connection down; an answer over HTTP/1.0 is reset: no chunks tell of the cut."""
        self._disconnected = True
        with suppress(OSError):
            if self._is_answer and self.request and self.request.version < (1, 1):
                self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                super().close()
            else:
                self.shutdown(socket.SHUT_RDWR)

    def is_open(self) -> bool:
        """Whether the caller is still connected: it is not once it has closed its sending side."""
        return self.fileno() >= 0 and not has_event(self, HAS_LEFT)

    def recv(self, size: int, *flags: int) -> bytes:
        """Receive; the first byte starts the request's time."""
        data: bytes = self._in_time(super().recv, min(size, RECEIVED_BYTES), *flags)
        if data and self.idle:
            self._start_time()
        return data

    def send(self, *arguments: Any, **options: Any) -> int:
        """Send; the connection waits while its caller does not read."""
        self._connections.mark_waiting(self)
        self.has_begun_answer = self._is_answer  # Not by gunicorn's 100 (Continue).
        let_others_run()  # A caller may send any number of requests that need no wait.
        sent: int = self._in_time(super().send, *arguments, **options)
        self._connections.waiting.pop(self, None)
        return sent

    def close(self) -> None:
        """Close; after an answer as RFC 9112, 9.6 asks: a reset could overtake the answer."""
        if self._is_answer:
            self._is_answer = self.idle = False
            self.deadline = Deadline(time.monotonic() + DRAIN_SECONDS, stalled, DRAIN_PAUSE_SECONDS)
            self._connections.mark_waiting(self)
            close_graceful(self, DRAIN_SECONDS, DRAIN_BYTES)  # It closes in the end.
        else:
            super().close()

    def _in_time(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            self.settimeout(self.deadline.require_time())
            return operation(*arguments, **options)
        except OSError as error:
            # gevent wakes a greenlet that waits with an error when its connection is shut down.
            if self._disconnected or isinstance(error, TimeoutError):
                if self._is_answer:
                    self.disconnect()
                raise stalled() from None
            raise

    def _start_time(self) -> None:
        self.idle = False
        self.deadline = Deadline(time.monotonic() + REQUEST_SECONDS, stalled, SILENCE_SECONDS)


class CallerConnections:
    """The open connections of a process; only one that is `waiting` may be closed to make room."""

    def __init__(self, most: int, idle_seconds: float) -> None:
        self.most = most
        # gunicorn's `keepalive`; at 0, by which it keeps none, the first request still has a time.
        self.idle_seconds = idle_seconds or SILENCE_SECONDS
        self._open: set[CallerConnection] = set()
        self.waiting: OrderedDict[CallerConnection, None] = OrderedDict()
        """Those that wait for a request, the rest of a drained one, or a caller who reads nothing,
        the longest first; an answer is owed on the others, as on a silent stream."""

    @contextmanager
    def opened(self, fileno: int) -> Iterator[CallerConnection]:
        """A connection by its file descriptor; past `most`, the longest waiting is disconnected."""
        connection = CallerConnection(self, fileno)
        self._open.add(connection)
        if len(self._open) > self.most:
            self.disconnect_longest_waiting()
        try:
            yield connection
        finally:
            self._open.discard(connection)
            self.waiting.pop(connection, None)

    def mark_waiting(self, connection: CallerConnection) -> None:
        """Note that a connection waits for its caller from now on."""
        self.waiting[connection] = None
        self.waiting.move_to_end(connection)

    def disconnect_longest_waiting(self) -> bool:
        """Disconnect the connection that has waited longest; whether one waited."""
        if not self.waiting:
            return False
        self.waiting.popitem(last=False)[0].disconnect()
        return True

    def stop(self) -> None:
        """Close each connection after the answer that it is owed, and idle ones STOP_SECONDS on."""
        self.idle_seconds = STOP_SECONDS
        for connection in self._open:
            if connection.request:
                connection.request.force_close()
        time.sleep(STOP_SECONDS)
        for connection in list(self.waiting):
            if connection.idle:  # No byte of a request has arrived.
                connection.disconnect()


def connection_of(request: Request) -> CallerConnection | None:
    """The request's connection; servers other than the worker do not give it."""
    connection = request.environ.get("gunicorn.socket")
    return connection if isinstance(connection, CallerConnection) else None


def connection_check(request: Request) -> Callable[[], bool]:
    """A function that tells whether the caller is still connected; true where nobody knows."""
    connection = connection_of(request)
    return connection.is_open if connection else lambda: True
