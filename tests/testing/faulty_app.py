"""The service, in which a request to /fault/PLACE has the next call of a function go wrong.

PLACE is one of PLACES, or the function as `module:name`. With ?raises=1 each call raises a text
with a key, until the next fault. Else one call works on and on, with ?call=2 the one after the
next; with ?seconds=1&yields=1 for a second of processor time, and it lets others run now and then.
"""

import time
from pkgutil import resolve_name

import gevent
from flask import request

from parley.web.serving import watchdog
from testing.builders import KEY
from wsgi import app

# Tests should not take the seconds that innocents are given.
watchdog.HELD_SECONDS, watchdog.LOOK_SECONDS = 0.2, 0.05

PLACES = {
    "uploads": "parley.web.request_schema:fields_of",
    "stages": "parley.conversation.stages:without_thoughts",
    "in the backlog": "parley.conversation.event_order:Backlog.add_text",
    "at the reply's end": "parley.conversation.segments:Segmenter.finish",
    "in a lane": "parley.conversation.event_order:Backlog.has_room_for",
    "events": "parley.conversation.event_order:Backlog.take",
    "speech": "parley.upstream.client:checked",
    "sound": "parley.conversation.stages:Stages.while_connected",
    "before the route": "parley.web.request_record:credentials_of",
    "after the answer": "parley.log:conversation",
    "gunicorn": "parley.web.serving.worker:Worker.notify",
}
whole = []
"""What is to be mended: where it is, its name, and the function as it was."""


def hold(seconds: float, *, yields: bool) -> None:
    """Work on, whatever errors there are."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        try:
            sum(range(1_000_000 if yields else 1000))
            if yields:
                gevent.sleep(0)
        except Exception:  # noqa: S112  # What it is there for.
            continue


@app.get("/fault/<place>")
def arm(place: str) -> str:
    """Mend what was at fault before, and break that."""
    while whole:
        setattr(*whole.pop())
    owner, _, name = PLACES.get(place, place).replace(":", ".").rpartition(".")
    broken, how = resolve_name(owner), request.args.copy()
    real, left = getattr(broken, name), [int(how.get("call", 1))]

    def call(*arguments: object, **options: object) -> object:
        if "raises" in how:
            raise RuntimeError(KEY)
        left[0] -= 1
        if left[0] == 0:
            hold(float(how.get("seconds", 20)), yields="yields" in how)
        return real(*arguments, **options)

    whole.append((broken, name, real))
    setattr(broken, name, call)
    return place
