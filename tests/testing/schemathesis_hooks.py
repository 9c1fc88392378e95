"""What schemathesis must be told: a key, audio that is audio, what to accept, and few hosts."""

import random

import schemathesis

from testing.builders import KEY, wav

ACCEPTED = (None, "application/json", "text/event-stream", "audio/mpeg", "audio/*")

chance = random.Random(1)


@schemathesis.hook
def map_case(context, case):
    """Give two of three cases a key, as many audio and no base URL; all ask for something."""
    if case.path == "/api/conversation/" and case.method == "POST":
        if chance.random() < 2 / 3:
            case.headers["X-OpenAI-API-Key"] = KEY
        if chance.random() < 2 / 3 and isinstance(case.body, dict):
            case.body["audio"] = wav()
        if (
            chance.random() < 2 / 3
        ):  # Else nearly all base URLs are refused, and nothing else tried.
            for name in [name for name in case.headers if name.lower().endswith("-base-url")]:
                del case.headers[name]
        if accept := chance.choice(ACCEPTED):
            case.headers["Accept"] = accept
    return case
