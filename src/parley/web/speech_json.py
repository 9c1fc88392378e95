"""JSON with speech in base64, made piece by piece: whole, it would be in memory four times."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, current_app

PIECE_BYTES = 48 * 1024
"""How much speech is encoded at once: a multiple of three, so that base64 pads only the end."""

SPEECH = b'"audio":""'
"""Where the speech is inserted. No text in the JSON can look like this: its quotes are escaped."""


def json_with_speech(body: Mapping[str, Any], speech: bytes) -> Response:
    """`body`, whose `audio` is empty, as JSON with the speech there in base64 (RFC 4648, 4)."""
    text = current_app.json.dumps(body, separators=(",", ":")).encode()
    head, _, tail = text.partition(SPEECH)
    head, tail = head + SPEECH[:-1], SPEECH[-1:] + tail + b"\n"
    response = current_app.response_class(_pieces(head, speech, tail), mimetype="application/json")
    response.content_length = len(head) + 4 * ((len(speech) + 2) // 3) + len(tail)
    return response


def _pieces(head: bytes, speech: bytes, tail: bytes) -> Iterator[bytes]:
    for start in range(0, len(speech) or 1, PIECE_BYTES):
        piece = base64.b64encode(speech[start : start + PIECE_BYTES])
        first, last = start == 0, start + PIECE_BYTES >= len(speech)
        yield (head if first else b"") + piece + (tail if last else b"")
