"""The list's column `parameters`: what every request to a model must contain in addition."""

import json
import re
from collections.abc import Mapping
from typing import Any

from parley.models.registry import LANGUAGE_FIELDS

SENT: Mapping[str, frozenset[str]] = {
    "transcriptions": frozenset({"model", "response_format", "file", *LANGUAGE_FIELDS}),
    "chat": frozenset({"model", "messages", "stream"}),
    "speech": frozenset({"model", "input", "voice", "response_format"}),
    "realtime": frozenset(
        {"model", "conversation", "output_modalities", "instructions", "input", "audio"}
    ),
}
"""By interface, the fields that the service itself sends. No parameter may overwrite them."""

FORMS = frozenset({"transcriptions"})
"""The interfaces that take a form, in which every value is text. The others take JSON."""

NAME = re.compile(r"([a-z_]+(?:\[\])?)=")
BARE = re.compile(r"[^\s,=]+")
BETWEEN = re.compile(r"[\s,]*")


def parse(text: str, interface: str) -> dict[str, Any]:
    """Read `name=value` pairs, separated by commas or spaces, for requests to an interface.

    A value that begins with a quote, a bracket or a brace is JSON and may contain spaces. A bare
    value is JSON too if it can be read as JSON, and otherwise text. In a form all values are text,
    as they are written but for quotes. Raises ValueError that says what to correct.
    """
    parameters: dict[str, Any] = {}
    position = _skip(text, 0)
    while position < len(text):
        if not (named := NAME.match(text, position)):
            raise _problem(text, position)
        name, start = named[1], named.end()
        if name in SENT[interface]:
            raise ValueError(f"holds {name!r}, which the service itself sends; leave it out.")
        if name in parameters:
            raise ValueError(f"holds {name!r} twice; keep one.")
        if text[start : start + 1] in ('"', "[", "{"):
            try:
                value, end = json.JSONDecoder().raw_decode(text, start)
            except (ValueError, RecursionError):
                raise _problem(text, position) from None
        elif bare := BARE.match(text, start):
            value, end = _json_or_text(bare[0]), bare.end()
        else:
            raise _problem(text, position)
        after = _skip(text, end)
        if after == end < len(text):
            raise _problem(text, position)
        if interface not in FORMS:
            _require_standard_json(name, value)
        elif not isinstance(value, str) or text[start] != '"':
            value = text[start:end]
        parameters[name], position = value, after
    return parameters


def _json_or_text(word: str) -> Any:
    """The JSON value that a bare word stands for, or else the word."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def _require_standard_json(name: str, value: Any) -> None:
    """Refuse NaN and Infinity, which Python reads but JSON does not have (RFC 8259, section 6)."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError(f"holds a {name!r} that JSON cannot hold; write another value.") from None


def _skip(text: str, position: int) -> int:
    between = BETWEEN.match(text, position)
    return between.end() if between else position


def _problem(text: str, position: int) -> ValueError:
    word = text[position:].split(maxsplit=1)[0]
    return ValueError(f"holds {word!r}; write name=value.")
