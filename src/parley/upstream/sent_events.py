"""Server-sent events, read as they arrive, by the steps of WHATWG's HTML standard (9.2.6)."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from parley.deadline import let_others_run
from parley.errors import UpstreamMalformed

EVENT_BYTES = 1_000_000  # The largest event: nobody else is served while it is parsed.
EVENT_LINES = 10_000  # How many lines an event may have.
READ_BYTES = 2 * 1024  # Read at once, while nobody else is served: up to hundreds of events.
# A line of data that can be an object of its own: with another one behind it, it must be.
WHOLE = re.compile(rb"\{.*\}\s*", re.DOTALL)


class SentEvent(NamedTuple):
    """An event: its name, which is blank for most, and its data, whose lines are joined."""

    name: bytes
    data: bytes
    status: bytes = b""  # What DashScope writes into a comment before a failure.
    is_cut: bool = False  # Whether the stream ended before the blank line that ends an event.


def events_in(pieces: Iterable[bytes]) -> Iterator[SentEvent]:
    """Each event that has data or the name `error`, also one that the stream's end cuts off.

    Lines end with LF, CRLF or CR. What is no field of an event is passed over, as comments are. A
    byte order mark is the caller's to leave out. Four things are read that the standard does not
    have: a field `error` (llama.cpp); a comment with a status (DashScope); a line that begins with
    a brace or a bracket, as data; and objects in one line of data each, without blank lines
    between. Raises UpstreamMalformed past EVENT_BYTES and EVENT_LINES. Linear in the bytes, however
    small the pieces.
    """
    name, status, data, size, count = b"", b"", list[bytes](), 0, 0
    for line in chain(_lines_in(pieces), [None]):  # None: the stream's end.
        if not line:
            if data or name == b"error":
                yield SentEvent(name, b"\n".join(data), status, is_cut=line is None)
            name, status, data, size, count = b"", b"", [], 0, 0
            continue
        size, count = size + len(line), count + 1
        if size > EVENT_BYTES or count > EVENT_LINES:
            raise UpstreamMalformed()
        field, _, value = line.partition(b":")
        if field == b"data":
            text = value.removeprefix(b" ")
            if len(data) == 1 and WHOLE.fullmatch(data[0]) and text[:1] in (b"{", b"["):
                yield SentEvent(name, data.pop())
                name, size, count = b"", len(line), 1
            data.append(text)
        elif field == b"event":
            name = value.removeprefix(b" ")
        elif field == b"error":
            name = b"error"
            data.append(value)
        elif not field and value.startswith(b"HTTP_STATUS/"):
            status = value[12:15]
        elif line.startswith((b"{", b"[")):
            data.append(line)


def _lines_in(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Each line without its end, and what is left at the stream's end."""
    begun, was_return = bytearray(), False
    for part in _parts_of(pieces):
        lines = part.removeprefix(b"\n") if was_return else part  # The rest of a CRLF.
        was_return = part.endswith(b"\r")
        for line in lines.splitlines(keepends=True):
            begun += line.rstrip(b"\r\n")
            if len(begun) > EVENT_BYTES:
                raise UpstreamMalformed()
            if line.endswith((b"\r", b"\n")):
                yield bytes(begun)
                begun.clear()
    if begun:
        yield bytes(begun)


def _parts_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), READ_BYTES):
            if start:
                let_others_run()
            yield piece[start : start + READ_BYTES]
