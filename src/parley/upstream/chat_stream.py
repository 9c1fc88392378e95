"""A chat reply as it is written: server-sent events in, the reply's deltas out."""

from collections.abc import Iterable, Iterator
from typing import Any

from parley.errors import TextIncomplete, UpstreamMalformed, UpstreamUnavailable
from parley.upstream.failures import failure_of_event
from parley.upstream.json_values import parse_json, value_at
from parley.wire.sockets import let_others_run

INCOMPLETE = ("length", "content_filter")
"""The values of `finish_reason` for a reply that the model did not finish."""

DATA = b"data:"
END = b"[DONE]"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

EVENT_BYTES = 1_000_000
"""The largest event that is taken: nobody else is served while it is parsed."""

READ_BYTES = 2 * 1024
"""How much is read at once: it can hold hundreds of events, and nobody else is served meanwhile."""


def deltas_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The reply's text, delta by delta; a refusal is text, too. A whole reply in JSON is one delta.

    At its end, raises TextIncomplete where the model did not finish the reply, UpstreamUnavailable
    where the stream was cut, and UpstreamMalformed where all of it was blank. Raises the
    UpstreamError that an `error` amid the stream means, and UpstreamMalformed for what is no event.
    """
    reason: Any = None
    is_blank = True
    lines = _lines_of(pieces)
    for line in lines:
        said = "delta"
        if line.startswith(b"{"):  # JSON: the host does not stream, or tells of a failure so.
            said, data = "message", b"\n".join((line, *lines))
        elif line.startswith(DATA):
            data = line.removeprefix(DATA).strip()
        elif line.startswith(b"<"):
            raise UpstreamMalformed()  # A web page.
        else:
            continue  # An event's name, a comment, or the blank line that ends an event.
        if data == END:
            break
        event = _event_of(data)
        choice = value_at(event, "choices", 0)
        for name in ("content", "refusal"):
            text = value_at(choice, said, name)
            if isinstance(text, str) and text:
                is_blank = is_blank and text.isspace()
                # JSON can hold half a surrogate pair, which is no text that could be sent on.
                yield text.encode(errors="replace").decode()
        reason = value_at(choice, "finish_reason") or reason
    if reason is None:
        raise UpstreamUnavailable()
    if is_blank:
        raise UpstreamMalformed()
    if reason in INCOMPLETE:
        raise TextIncomplete()


def _event_of(data: bytes) -> Any:
    if len(data) > EVENT_BYTES:
        raise UpstreamMalformed()
    try:
        event = parse_json(data)
    except ValueError:
        raise UpstreamMalformed() from None
    if error := value_at(event, "error"):
        raise failure_of_event(error)
    return event


def _lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Each whole line, and what is left at the end; linear in time, however small the pieces."""
    begun: list[bytes] = []
    for part in _parts_of(pieces):
        first, *others = part.split(b"\n")
        begun.append(first)
        for line in others:
            yield _line(begun)
            begun = [line]
    yield _line(begun)


def _parts_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), READ_BYTES):
            if start:
                let_others_run()
            yield piece[start : start + READ_BYTES]


def _line(begun: list[bytes]) -> bytes:
    return b"".join(begun).removeprefix(BYTE_ORDER_MARK).rstrip(b"\r")
