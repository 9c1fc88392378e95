"""The service, which tells at /held what processor time a greenlet held its worker for."""

import time

import gevent
import greenlet

from parley.upstream import calls
from parley.web.serving import connection_limits
from wsgi import app

calls.BACKOFF = (0.0, 0.0)
connection_limits.SILENCE_SECONDS = 120  # Forty callers on a busy machine read late.


class Stretches:
    """The longest time of this thread's processor between two switches, but for the hub's own."""

    def __init__(self) -> None:
        self.longest = self.since = 0.0

    def note(self, event: str, args: tuple[object, object]) -> None:
        now = time.thread_time()
        if args[0] is not gevent.get_hub():
            self.longest = max(self.longest, now - self.since)
        self.since = now


stretches = Stretches()


@app.get("/held")
def held() -> dict[str, float]:
    """In milliseconds; the first call begins to measure, in the worker's own thread."""
    longest, stretches.longest, stretches.since = stretches.longest, 0.0, time.thread_time()
    greenlet.settrace(stretches.note)
    return {"held": 1000 * longest}
