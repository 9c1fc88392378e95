"""A chat reply as it is written: server-sent events in, the reply's deltas out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from parley.errors import TextIncomplete, UpstreamMalformed, UpstreamUnavailable
from parley.upstream.failures import failure_of_event
from parley.upstream.json_values import value_at

INCOMPLETE = ("length", "content_filter")
"""The values of `finish_reason` for a reply that the model did not finish."""

DATA = b"data:"
END = b"[DONE]"


def deltas_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The reply's text, delta by delta; a refusal is text, too.

    At its end, raises TextIncomplete where the model did not finish the reply, UpstreamUnavailable
    where the stream was cut, and UpstreamMalformed where all of it was blank. Raises the
    UpstreamError that an `error` amid the stream means, and UpstreamMalformed for what is no event.
    """
    reason: Any = None
    is_blank = True
    for line in _lines_of(pieces):
        if not line.startswith(DATA):
            continue  # An event's name, a comment, or the blank line that ends an event.
        data = line.removeprefix(DATA).strip()
        if data == END:
            break
        event = _event_of(data)
        choice = value_at(event, "choices", 0)
        for name in ("content", "refusal"):
            text = value_at(choice, "delta", name)
            if isinstance(text, str) and text:
                is_blank = is_blank and text.isspace()
                # JSON can hold half a surrogate pair, which is no text that could be sent on.
                yield text.encode(errors="replace").decode()
        reason = value_at(choice, "finish_reason") or reason
    if reason is None:
        raise UpstreamUnavailable()
    if reason in INCOMPLETE:
        raise TextIncomplete()
    if is_blank:
        raise UpstreamMalformed()


def _event_of(data: bytes) -> Any:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise UpstreamMalformed() from None
    if error := value_at(event, "error"):
        raise failure_of_event(error)
    return event


def _lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Each whole line, and what is left at the end; linear in time, however small the pieces."""
    begun: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        begun.append(first)
        for line in others:
            yield b"".join(begun).rstrip(b"\r")
            begun = [line]
    yield b"".join(begun)
