"""What stands in the JSON of an upstream's answer, which may hold anything."""

import json
from contextlib import suppress
from typing import Any

TEXTS = ("text", "output_text")  # The types of the parts of a message that are no thoughts.
CONTAINERS = 50_000  # Arrays and objects in a JSON text: a million hold up others for a second.


def json_in(text: bytes) -> Any:
    """The value of a JSON text; None if it is not JSON, or over CONTAINERS."""
    if text.count(b"[") + text.count(b"{") <= CONTAINERS:
        with suppress(ValueError, RecursionError):
            return json.loads(text, strict=False)  # Some hosts escape no line breaks and tabs.
    return None


def value_at(value: Any, *path: str | int) -> Any:
    """The value at `path` in a JSON value; None if there is none."""
    try:
        for step in path:
            value = value[step]
    except (TypeError, LookupError):
        return None
    return value


def text_in(content: Any) -> str:
    """The text of a message, or of its parts but thoughts; it may end amid a surrogate pair."""
    if isinstance(content, str):
        return content
    match content:
        case list(parts):
            return "".join(text_in(part) for part in parts if not isinstance(part, list))
        case {"thought": thought} if thought:  # Gemini
            return ""
        case {"type": kind} if kind not in TEXTS:  # OpenAI, Mistral; Bedrock's parts have no type.
            return ""
        case {"text": str(text)} | {"text": {"value": str(text)}}:
            return text
    return ""


def refusal_in(message: Any) -> str:
    """A refusal beside the content, or one that is a part of it."""
    content = value_at(message, "content")
    parts = content if isinstance(content, list) else []
    refusals = (value_at(part, "refusal") for part in (message, *parts))
    return "".join(each for each in refusals if isinstance(each, str))
