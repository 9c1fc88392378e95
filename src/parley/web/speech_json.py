"""An answer with its speech, written piece by piece: whole, it would be in memory four times."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, current_app, g

from parley import log

PIECE_BYTES = 48 * 1024
"""How much speech is encoded at once: a multiple of three, as base64 asks."""

SPEECH = b'"audio":""'
"""Where the speech belongs; no text can hold this, since JSON escapes the quotes in it."""


def json_with_speech(body: Mapping[str, Any], speech: bytes) -> Response:
    """`body`, whose `audio` is empty, as JSON with the speech there in base64 (RFC 4648, 4)."""
    text = current_app.json.dumps(body, separators=(",", ":")).encode()
    head, _, tail = text.partition(SPEECH)
    head, tail = head + SPEECH[:-1], SPEECH[-1:] + tail + b"\n"
    length = len(head) + 4 * ((len(speech) + 2) // 3) + len(tail)
    response = current_app.response_class(
        _written(head, speech, tail, length, g.request_id), mimetype="application/json"
    )
    response.content_length = length
    return response


def _written(
    head: bytes, speech: bytes, tail: bytes, length: int, request_id: str
) -> Iterator[bytes]:
    sent = 0
    try:
        for start in range(0, len(speech) or 1, PIECE_BYTES):
            piece = base64.b64encode(speech[start : start + PIECE_BYTES])
            first, last = start == 0, start + PIECE_BYTES >= len(speech)
            piece = (head if first else b"") + piece + (tail if last else b"")
            yield piece
            sent += len(piece)
    except GeneratorExit:  # The server closes an answer that it could not write.
        log.answer_cut(request_id, sent, length)
        raise
