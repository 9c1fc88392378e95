"""Sockets that keep a deadline, however slowly the peer goes on.

A socket's own timeout starts anew with each byte that arrives, so a peer that sends one now and
then is waited for without end. Here each operation gets only what is left: OpenSSL's handshake,
reads and `sendall` count one timeout for the whole operation.
"""

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


class _Timed(Base):
    limit: Deadline | None = None
    """Until when the operations must be done; its error is raised where they are not."""

    def recv(self, *arguments: Any, **options: Any) -> bytes:
        return self._in_time(super().recv, *arguments, **options)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        return self._in_time(super().recv_into, *arguments, **options)

    def send(self, *arguments: Any, **options: Any) -> int:
        return self._in_time(super().send, *arguments, **options)

    def sendall(self, *arguments: Any, **options: Any) -> None:
        return self._in_time(super().sendall, *arguments, **options)

    def _in_time(self, operation: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        # gevent itself does not switch while a socket is ready: one peer would keep all others out.
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
