"""Sockets that keep a deadline however slow the peer is, and let other greenlets run.

A socket's own timeout starts anew with each byte that arrives, so a peer that sends a byte now and
then could be waited for without end. Here each operation gets only what is left of its deadline.

Under gevent, a socket operation that need not wait does not let other greenlets run: a peer that
always has data ready would keep the process busy alone. So each operation lets them run first.
"""

import itertools
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from parley.deadline import Deadline
from parley.errors import ParleyError

Result = TypeVar("Result")
if TYPE_CHECKING:
    Base = socket.socket
else:
    Base = object

RECORD_BYTES = 16 * 1024
"""The largest content of one TLS record (RFC 8446, section 5.1)."""

TURNS = 4
"""How often others are let run for each time that gevent is made to look at all sockets."""

_turns = itertools.count()

handshake_limit: ContextVar[Deadline] = ContextVar("handshake_limit")
"""The deadline of the TLS handshakes that follow: `ssl` begins them while it makes the socket."""


def let_others_run() -> None:
    """Let other greenlets run; a thread pays about 50 microseconds.

    After `sleep(0)` gevent may run the same few greenlets for long before it looks which sockets
    and timers are ready. After any longer sleep it looks at once, which costs more.
    """
    time.sleep(0 if next(_turns) % TURNS else 1e-9)


class _Timed(Base):
    limit: Deadline | None = None
    """When the operations must be done; the deadline's error is raised if they are not."""

    @property
    def socket(self) -> "_Timed":
        """Itself: TLS inside a proxy's TLS, which is not a socket, has its own under this name."""
        return self

    def recv(self, *arguments: Any, **options: Any) -> bytes:
        return self._in_time(super().recv, *arguments, **options)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        return self._in_time(super().recv_into, *arguments, **options)

    def send(self, *arguments: Any, **options: Any) -> int:
        return self._in_time(super().send, *arguments, **options)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it; each part that the peer accepts begins a new wait."""
        with memoryview(data) as view, view.cast("B") as left:
            sent = 0
            while sent < len(left):
                sent += self.send(left[sent:], flags)

    def _in_time(self, operation: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        if self.limit is None:
            return operation(*arguments, **options)
        let_others_run()
        limit = self.limit.for_one_wait()
        while True:
            self.settimeout(limit.slice())
            try:
                return operation(*arguments, **options)
            except TimeoutError as timeout:
                if timeout.errno is not None:  # The kernel's own: the connection has failed.
                    raise limit.error() from None


class TimedSocket(_Timed, socket.socket):
    """A plain socket that keeps a deadline."""


class TimedTLSSocket(_Timed, ssl.SSLSocket):
    """A TLS socket that keeps a deadline."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands by `handshake_limit`, which holds until another limit is set."""
        self.limit = handshake_limit.get()
        try:
            self._in_time(super().do_handshake)
        except ParleyError:
            self.close()  # `ssl`, which makes the socket, does so for errors that it knows.
            raise

    def send(self, data: Any, flags: int = 0, **_: Any) -> int:
        """Send at most one record; gevent's own `send` does not say what it would wait for."""
        return self._in_time(self.write, data[:RECORD_BYTES])

    def _in_time(self, operation: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Try without blocking, and wait in between.

        gevent gives each wait the whole timeout, and a record that drips in takes many waits.
        """
        let_others_run()
        if self.limit is None:
            return operation(*arguments, **options)
        limit = self.limit.for_one_wait()
        while True:
            seconds = limit.slice()
            self.settimeout(0)
            try:
                return operation(*arguments, **options)
            except ssl.SSLWantReadError:
                awaited = select.POLLIN
            except ssl.SSLWantWriteError:
                awaited = select.POLLOUT
            poll = select.poll()
            poll.register(self, awaited)
            poll.poll(seconds * 1000)
            let_others_run()
