"""The service, in which a request to /hold/PLACE has the next call of a place work on and on.

With /hold/PLACE?call=2 it is the call after the next one; with ?seconds=1&yields=1 it works for a
second of processor time, and lets others run now and then.
"""

import time
from functools import wraps
from pkgutil import resolve_name

import gevent
from flask import request

from parley.web.serving import watchdog
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
GIVES_UP_SECONDS = 20

calls: dict[str, int] = {}
how: dict[str, bool | float] = {}


def hold() -> None:
    """Work on, whatever errors there are."""
    until = time.process_time() + how["seconds"]
    while time.process_time() < until:
        try:
            sum(range(1_000_000 if how["yields"] else 1000))
            if how["yields"]:
                gevent.sleep(0)
        except Exception:  # noqa: S112  # What it is there for.
            continue


def replace(place: str, path: str) -> None:
    path, _, last = path.replace(":", ".").rpartition(".")
    owner = resolve_name(path)
    real = getattr(owner, last)

    @wraps(real)
    def call(*arguments, **options):
        if place in calls:
            calls[place] -= 1
            if not calls[place]:
                del calls[place]
                hold()
        return real(*arguments, **options)

    setattr(owner, last, call)


for place, path in PLACES.items():
    replace(place, path)


@app.get("/hold/<place>")
def arm(place: str) -> str:
    how["seconds"] = float(request.args.get("seconds", GIVES_UP_SECONDS))
    how["yields"] = "yields" in request.args
    calls[place] = int(request.args.get("call", 1))
    return place
