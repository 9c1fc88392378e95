"""What schemathesis must be told to get past the door: a key, and audio that is audio."""

import random

import schemathesis

from testing.builders import KEY, wav

chance = random.Random(1)


@schemathesis.hook
def map_case(context, case):
    """Give two of three cases a key, and as many audio."""
    if case.path == "/api/conversation/" and case.method == "POST":
        if chance.random() < 2 / 3:
            case.headers["X-OpenAI-API-Key"] = KEY
        if chance.random() < 2 / 3 and isinstance(case.body, dict):
            case.body["audio"] = wav()
    return case
