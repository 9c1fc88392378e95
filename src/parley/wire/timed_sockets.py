"""Sockets that keep a deadline, however slowly the peer goes on, and let others run meanwhile.

A socket's own timeout starts anew with each byte that arrives, so a peer that sends one now and
then is waited for without end. Here each operation gets only what is left of its deadline.

Under gevent, a socket operation that need not wait does not let other greenlets run: a peer that
always has data ready would have the process to itself. `time.sleep(0)` lets them run. Threads do
not need it, and pay some 50 microseconds.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from parley.deadline import Deadline

Result = TypeVar("Result")
if TYPE_CHECKING:
    Base = socket.socket
else:
    Base = object

RECORD_BYTES = 16 * 1024
"""What one TLS record carries at most (RFC 8446, section 5.1)."""


class _Timed(Base):
    limit: Deadline | None = None
    """Until when the operations must be done; its error is raised where they are not."""

    def recv(self, *arguments: Any, **options: Any) -> bytes:
        return self._in_time(super().recv, *arguments, **options)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        return self._in_time(super().recv_into, *arguments, **options)

    def send(self, *arguments: Any, **options: Any) -> int:
        return self._in_time(super().send, *arguments, **options)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it; each part that the peer takes may be waited for anew."""
        with memoryview(data) as view, view.cast("B") as left:
            sent = 0
            while sent < len(left):
                sent += self.send(left[sent:], flags)

    def _in_time(self, operation: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        time.sleep(0)
        if self.limit is None:
            return operation(*arguments, **options)
        self.settimeout(self.limit.left())
        try:
            return operation(*arguments, **options)
        except TimeoutError:
            raise self.limit.error() from None


class TimedSocket(_Timed, socket.socket):
    """A plain socket that keeps a deadline."""


class TimedTLSSocket(_Timed, ssl.SSLSocket):
    """A TLS socket that keeps a deadline."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands within the timeout that the plain socket had when it was wrapped."""
        timeout = self.gettimeout()
        if timeout is not None:
            self.limit = Deadline(time.monotonic() + timeout, TimeoutError)
        self._in_time(super().do_handshake)

    def send(self, data: Any, flags: int = 0, **_: Any) -> int:
        """Send at most one record; gevent's own does not tell what it would wait for."""
        return self._in_time(self.write, data[:RECORD_BYTES])

    def _in_time(self, operation: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Try without blocking, and wait in between.

        gevent gives each wait the whole timeout, and a record that drips in takes many waits.
        """
        if self.limit is None:
            time.sleep(0)
            return operation(*arguments, **options)
        while True:
            time.sleep(0)
            left = self.limit.left()
            self.settimeout(0)
            try:
                return operation(*arguments, **options)
            except ssl.SSLWantReadError:
                awaited = select.POLLIN
            except ssl.SSLWantWriteError:
                awaited = select.POLLOUT
            poll = select.poll()
            poll.register(self, awaited)
            poll.poll(left * 1000)
