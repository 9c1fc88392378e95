"""JSON with speech in base64, made piece by piece: whole, it would be in memory four times."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from flask import Response, current_app

from parley.memory import Spool

PIECE_BYTES = 48 * 1024
"""How much speech is encoded at once: a multiple of three, so that base64 pads only the end."""

EMPTY_AUDIO = b'"audio":""'
"""Where the speech is inserted. No text in the JSON can look like this: its quotes are escaped."""


def json_with_speech(body: Mapping[str, Any], speech: Spool | None) -> Response:
    """`body`, whose `audio` is empty, as JSON with the speech there in base64 (RFC 4648, 4).

    The speech is at its start, and is closed when it is written.
    """
    text = current_app.json.dumps(body, separators=(",", ":")).encode()
    head, _, tail = text.partition(EMPTY_AUDIO)
    head, tail = head + EMPTY_AUDIO[:-1], EMPTY_AUDIO[-1:] + tail + b"\n"
    pieces = _pieces(head, speech, tail) if speech else [head + tail]
    response = current_app.response_class(pieces, mimetype="application/json")
    size = speech.size if speech else 0
    response.content_length = len(head) + 4 * ((size + 2) // 3) + len(tail)
    return response


def _pieces(head: bytes, speech: Spool, tail: bytes) -> Iterator[bytes]:
    with closing(speech):
        for start in range(0, speech.size or 1, PIECE_BYTES):
            piece = base64.b64encode(speech.read(PIECE_BYTES))
            first, last = start == 0, start + PIECE_BYTES >= speech.size
            yield (head if first else b"") + piece + (tail if last else b"")
