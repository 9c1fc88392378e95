"""The service, in which a request to /hold/PLACE has the next call of a place never return.

With /hold/PLACE?call=2 it is the call after the next one.
"""

import importlib
import time
from functools import wraps

from flask import request

from parley.web import watchdog
from wsgi import app

# Tests should not take the seconds that innocents are given.
watchdog.HELD_SECONDS, watchdog.LOOK_SECONDS = 0.2, 0.05

PLACES = {
    "uploads": "blueprints.conversation:fields_of",
    "stages": "parley.conversation.stages:without_thoughts",
    "under a lock": "parley.conversation.backlog:Backlog.add_text",
    "at the reply's end": "parley.conversation.segments:Segmenter.finish",
    "in a lane": "parley.conversation.backlog:Backlog.has_room_for",
    "events": "parley.conversation.backlog:Backlog.take",
    "sound": "parley.upstream.calls:Begun.__next__",
    "before the route": "parley.web.request_log:credentials_of",
    "after the answer": "parley.log:conversation",
}
GIVES_UP_SECONDS = 20

calls: dict[str, int] = {}


def hold() -> None:
    """Work on, whatever errors there are."""
    until = time.process_time() + GIVES_UP_SECONDS
    while time.process_time() < until:
        try:
            sum(range(1000))
        except Exception:  # noqa: S112  # What it is there for.
            continue


def replace(place: str, path: str) -> None:
    module, _, name = path.partition(":")
    owner = importlib.import_module(module)
    *within, last = name.split(".")
    for part in within:
        owner = getattr(owner, part)
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
    calls[place] = int(request.args.get("call", 1))
    return place
