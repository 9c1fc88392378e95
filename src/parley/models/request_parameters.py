"""The list's column `parameters`: what every request to a model must contain in addition."""

import json
from collections import Counter
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


def parse(text: str, interface: str) -> dict[str, Any]:
    """Read a JSON object, or nothing, for requests to an interface.

    In a form each value is text: a string as it is, any other value as JSON. Raises ValueError
    that says what to correct.
    """
    if not text:
        return {}
    repeated: list[str] = []

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = Counter(name for name, _ in pairs)
        repeated.extend(name for name, times in names.items() if times > 1)
        return dict(pairs)

    try:
        parameters = json.loads(text, object_pairs_hook=noted)
        json.dumps(parameters, allow_nan=False)  # Python alone reads NaN (RFC 8259, section 6).
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise ValueError('is not a JSON object; write one, such as {"reasoning_effort": "none"}.')
    for name in repeated:
        raise ValueError(f"holds {name!r} twice; keep one.")
    for name in parameters:
        if name in SENT[interface]:
            raise ValueError(f"holds {name!r}, which the service itself sends; leave it out.")
    if interface not in FORMS:
        return parameters
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
    }
