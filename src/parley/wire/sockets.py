"""Sockets that let other greenlets run, in plain and in TLS."""

import errno
import ssl
from functools import cache
from typing import Any

from gevent import socket
from gevent.monkey import get_original
from urllib3.util.ssltransport import SSLTransport

POLL: Any = get_original("select", "poll")


class YieldingSocket(socket.socket):  # type: ignore[misc]  # gevent's is not typed.
    """A socket whose `recv` lets others run first, even where bytes are there already."""

    # What tells if the connection may serve again: `answer_reader.py` sets the first and the last.
    is_receiving = True  # Else only what was received before can still be read.
    is_cut_short = False  # Some of what was to be sent was not.
    idle_since = 0.0  # When its last answer was read whole, on the monotonic clock; 0: none was.

    def recv(self, size: int, *flags: int) -> bytes:
        """Receive up to `size` bytes."""
        self._take_turns()
        return super().recv(size, *flags)  # type: ignore[no-any-return]

    def recv_into(self, *arguments: Any) -> int:
        """Receive into a buffer."""
        self._take_turns()
        return super().recv_into(*arguments)  # type: ignore[no-any-return]

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it, or note that some is missing; each part has the time of one `send`."""
        left = memoryview(data).cast("B")
        try:
            while left:
                left = left[self.send(left, flags) :]
        except OSError:
            self.is_cut_short = True
            raise

    def _take_turns(self) -> None:
        """Wait for bytes, so that others run, and gevent looks at all sockets and timers."""
        if not self.is_receiving:
            raise BlockingIOError(errno.EAGAIN, "not receiving")
        socket.wait_read(self.fileno(), self.gettimeout())


class TLS(SSLTransport):
    """TLS over such a socket, or over TLS to a proxy."""

    # How many files read from the socket: where TLS is within TLS, urllib3 counts them here.
    _io_refs = property(
        lambda self: self.socket._io_refs, lambda self, refs: setattr(self.socket, "_io_refs", refs)
    )


class _Context(ssl.SSLContext):
    def wrap_socket(self, sock: Any, *, server_hostname: str, **_: Any) -> TLS:  # type: ignore[override]
        return TLS(sock, self, server_hostname)


@cache
def tls_context(bundle: str) -> ssl.SSLContext:
    """What makes TLS of sockets, by the certificates in a file; raise OSError without them."""
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    return context


def has_event(sock: YieldingSocket, events: int) -> bool:
    """Whether one of `poll`'s events is there, or an end. gevent's `poll` is ten times as dear."""
    asked = POLL()
    asked.register(sock, events)
    return bool(asked.poll(0))


def under_tls(sock: Any) -> YieldingSocket:
    """The socket under all layers of TLS."""
    while isinstance(sock, SSLTransport):
        sock = sock.socket
    return sock  # type: ignore[no-any-return]
