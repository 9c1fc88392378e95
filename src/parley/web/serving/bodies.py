"""Bodies of requests as gunicorn reads them: bounded, and read to their end or not."""

from collections.abc import Iterable, Iterator
from typing import Any

from gunicorn.http.body import ChunkedReader

from parley.deadline import let_others_run
from parley.errors import RequestMalformed

CHUNKS = 200_000
"""The most chunks (RFC 9112, 7.1), or pieces of them, of a body: 130 bytes each in the largest
form."""

CHUNKS_AT_ONCE = 16
"""After how many others are let run: a chunk takes about 10 microseconds, however short it is, and
8 kB, which is what gunicorn receives at once, can hold 1,300. Hundreds of uploads have their turns
one after the other."""


def bound_chunks(body: Any) -> None:
    """Have a body of gunicorn's raise RequestMalformed past CHUNKS, and let others run."""
    if isinstance(body.reader, ChunkedReader):
        body.reader.parser = _bounded(body.reader.parser)


def is_unread(body: Any) -> bool:
    """Whether a body of gunicorn's may go on: it was not read to its end, or reading it failed."""
    reader = body.reader
    return bool(reader.parser if isinstance(reader, ChunkedReader) else reader.length)


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces, start=1):
        if number > CHUNKS:
            raise RequestMalformed("The body has too many chunks; send it in larger ones.")
        if not number % CHUNKS_AT_ONCE:
            let_others_run()
        yield piece
