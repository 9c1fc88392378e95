"""What stands in the JSON of an upstream's answer, which may hold anything."""

import json
from typing import Any

from parley.wire.messages import Answer


def json_of(answer: Answer) -> Any:
    """The answer's body as JSON; None if it is not JSON."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def value_at(value: Any, *path: str | int) -> Any:
    """The value at `path` in a JSON value; None if there is none."""
    try:
        for step in path:
            value = value[step]
    except (TypeError, LookupError):
        return None
    return value


def text_of(value: Any) -> str:
    """A JSON string's text without surrounding space; blank for any other value.

    JSON can hold half a surrogate pair, which no text that is sent on may hold: it becomes `?`.
    """
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else ""
