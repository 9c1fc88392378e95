"""gunicorn's threaded worker, whose callers cannot hold a thread by stalling."""

import errno
import socket
import time

from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from parley.deadline import Deadline
from parley.timed import TimedSocket

SILENCE_SECONDS = 20
"""How long a caller may send nothing amid a request."""

REQUEST_SECONDS = 100
"""How long a request may take to arrive; what is drained after its refusal has 20 more."""


class CallerStalled(TimeoutError):
    """A caller let one of these times pass.

    Amid the headers there is nobody to tell: with this number, gunicorn closes without a word.
    """

    def __init__(self) -> None:
        """Be told as a connection that was reset."""
        super().__init__(errno.ECONNRESET, "The caller stalled.")


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types.
    """gthread itself waits without end for a header or a body that stops half-way."""

    def handle(self, conn: TConn) -> object:
        """Handle one request of a connection, in a thread, with both limits on its socket."""
        if not isinstance(conn.sock, TimedSocket):
            conn.sock = TimedSocket(fileno=conn.sock.detach())
        until = time.monotonic() + REQUEST_SECONDS
        conn.sock.limit = Deadline(until, CallerStalled, SILENCE_SECONDS)
        return super().handle(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Begin or cease to accept; at the end take whom the kernel has let in, and close.

        gunicorn would leave its listeners open but unattended until the last answer is out, and
        reset all who connected meanwhile instead of letting them, or their balancer, go elsewhere.
        """
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            known = None
            while known != self.nr_conns:
                known = self.nr_conns
                self.accept(listener)
            listener.close()

    def handle_error(
        self, req: Request | None, client: socket.socket, addr: object, exc: Exception
    ) -> None:
        """Answer and log what is no HTTP, by its kind alone.

        gunicorn would quote the line in both, and a header that is not one may hold a key.
        """
        kind = type(exc)
        silent = {"__init__": lambda self: None, "__str__": lambda self: kind.__name__}
        super().handle_error(req, client, addr, type(kind.__name__, (kind,), silent)())
