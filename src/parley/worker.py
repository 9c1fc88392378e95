"""gunicorn's threaded worker, whose callers cannot hold a thread by stalling."""

import errno
import time

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
