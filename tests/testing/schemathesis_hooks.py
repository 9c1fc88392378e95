"""What schemathesis must be told: a key, audio that is audio, and what to accept."""

import random

import schemathesis

from testing.builders import KEY, wav

ACCEPTED = (None, "application/json", "text/event-stream", "audio/mpeg", "audio/*")

chance = random.Random(1)


@schemathesis.hook
def map_case(context, case):
    """Give two of three cases a key, as many audio, and all a representation to ask for."""
    if case.path == "/api/conversation/" and case.method == "POST":
        if chance.random() < 2 / 3:
            case.headers["X-OpenAI-API-Key"] = KEY
        if chance.random() < 2 / 3 and isinstance(case.body, dict):
            case.body["audio"] = wav()
        if accept := chance.choice(ACCEPTED):
            case.headers["Accept"] = accept
    return case
