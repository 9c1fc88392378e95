"""What stands in the JSON of an upstream's answer, which may hold anything."""

import json
from typing import Any

from parley.wire.messages import Answer

CONTAINERS = 50_000
"""How many arrays and objects a JSON text may hold.

Python takes a second over a million of them, and serves nobody else meanwhile.
"""


def json_of(answer: Answer) -> Any:
    """The answer's body as JSON; None if `parse_json` refuses it."""
    try:
        return parse_json(answer.body)
    except ValueError:
        return None


def parse_json(text: bytes) -> Any:
    """The value of a JSON text; raise ValueError if it is not JSON, or over CONTAINERS."""
    if text.count(b"[") + text.count(b"{") > CONTAINERS:
        raise ValueError("too many containers")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def value_at(value: Any, *path: str | int) -> Any:
    """The value at `path` in a JSON value; None if there is none."""
    try:
        for step in path:
            value = value[step]
    except (TypeError, LookupError):
        return None
    return value


def text_of(value: Any) -> str:
    """A JSON string's text; blank for any other value.

    JSON can hold half a surrogate pair, which no text that is sent on may hold: it becomes `?`.
    """
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def text_in(content: Any) -> str:
    """The text of a message: a string, or a list of parts, of which texts count and thoughts not.

    Parts are OpenAI's and Mistral's, in which a thought has a type of its own, and Gemini's, in
    which it is marked.
    """
    if not isinstance(content, list):
        return text_of(content)
    return "".join(map(_text_of_part, content))


def _text_of_part(part: Any) -> str:
    match part:
        case {"thought": thought} if thought:
            return ""
        case {"type": "text" | "output_text", "text": text}:
            return text_of(text)
    return ""
