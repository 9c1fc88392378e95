"""Speech is written as it is encoded, and the answer is the same to the byte."""

import base64
import json
import tracemalloc

import pytest
from flask import g
from support import make_app

from parley.web.speech_json import PIECE_BYTES, json_with_speech

BODY = {"transcript": 'a","audio":"" b', "audio": "", "success": True}


@pytest.fixture
def request_context():
    with make_app().test_request_context("/") as context:
        g.request_id = "id-1"
        yield context


@pytest.mark.parametrize(
    "length", [0, 1, 2, 3, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES]
)
def test_the_speech_is_where_it_belongs(request_context, length):
    """Whatever its length, and whatever was said."""
    speech = bytes(number % 251 for number in range(length))
    response = json_with_speech(BODY, speech)
    text = b"".join(response.response)
    assert len(text) == response.content_length
    assert list(json.loads(text)) == list(BODY)
    assert json.loads(text) == {**BODY, "audio": base64.b64encode(speech).decode()}


def test_a_long_speech_is_not_copied(request_context):
    """5 MB of it are written with less than a tenth of that beside it."""
    speech = bytes(5_000_000)
    tracemalloc.start()
    for piece in json_with_speech(BODY, speech).response:
        assert len(piece) < 100_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000


@pytest.mark.parametrize("read", [1, 3])
def test_an_answer_that_is_not_read_to_its_end_is_told_of(request_context, logged, read):
    """The log says of which request, and how much of it was out."""
    response = json_with_speech(BODY, bytes(5_000_000))
    pieces = iter(response.response)
    written = [len(next(pieces)) for _ in range(read)]
    response.close()
    out = sum(written[:-1])  # Of the last nobody knows.
    assert f"event=answer_cut request_id=id-1 bytes_sent={out} " in logged.text


def test_an_answer_that_is_read_is_not(request_context, logged):
    """Nothing is cut, nothing is logged."""
    response = json_with_speech(BODY, bytes(500_000))
    b"".join(response.response)
    response.close()
    assert "answer_cut" not in logged.text
