"""What each request to a model must say besides: the list's `parameters`, read and checked."""

import json
import re
from collections.abc import Mapping
from typing import Any

SENT: Mapping[str, frozenset[str]] = {
    "transcriptions": frozenset({"model", "response_format", "file"}),
    "chat": frozenset({"model", "messages"}),
    "speech": frozenset({"model", "input", "voice", "response_format"}),
    "realtime": frozenset(
        {"model", "conversation", "output_modalities", "instructions", "input", "audio"}
    ),
}
"""By interface, the names that the service itself sends, and that no parameter may overwrite."""

FORMS = frozenset({"transcriptions"})
"""The interfaces that take a form, whose values are text; the others take JSON."""

NAME = re.compile(r"([a-z_]+)=")
BARE = re.compile(r"[^\s,=]+")
BETWEEN = re.compile(r"[\s,]*")


def parse(text: str, interface: str) -> dict[str, Any]:
    """Read `name=value` pairs, separated by commas or spaces, for requests to an interface.

    A value in quotes is a JSON string, one in brackets JSON; both may hold spaces. What else is
    JSON goes into JSON bodies as such, and all other values are text, as is everything in a form.
    Raises ValueError that says what to mend.
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
            value, end = _plain(bare[0]), bare.end()
        else:
            raise _problem(text, position)
        after = _skip(text, end)
        if after == end < len(text):
            raise _problem(text, position)
        if interface not in FORMS:
            _refuse_what_is_no_json(name, value)
        elif not isinstance(value, str) or text[start] != '"':
            value = text[start:end]
        parameters[name], position = value, after
    return parameters


def _plain(word: str) -> Any:
    """What a bare word is as JSON, or the word itself."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def _refuse_what_is_no_json(name: str, value: Any) -> None:
    """Python's json reads and writes NaN and Infinity, which JSON has not (RFC 8259, section 6)."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError(f"holds a {name!r} that is no number of JSON's; write another.") from None


def _skip(text: str, position: int) -> int:
    between = BETWEEN.match(text, position)
    return between.end() if between else position


def _problem(text: str, position: int) -> ValueError:
    word = text[position:].split(maxsplit=1)[0]
    return ValueError(f"holds {word!r}; write name=value.")
