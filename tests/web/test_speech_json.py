"""Speech is written as it is encoded, and the answer is the same to the byte."""

import base64
import json
import logging
import re
import time
import tracemalloc
from collections.abc import Callable, Iterable
from io import BytesIO

import pytest
from testing.builders import make_app, wav
from testing.conversation_forms import MAIN, PATH, TTS
from werkzeug.test import EnvironBuilder

from parley.memory import Spool, Usage
from parley.web.answers import PIECE_BYTES, json_with_speech

BODY = {"transcript": 'a","audio":"" b', "audio": "", "success": True}


@pytest.fixture
def request_context():
    with make_app().test_request_context("/") as context:
        yield context


@pytest.mark.parametrize(
    "length", [0, 1, 2, 3, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES]
)
def test_the_speech_is_where_it_belongs(request_context, length):
    speech = bytes(number % 251 for number in range(length))
    response = json_with_speech(BODY, spooled(speech))
    text = b"".join(response.response)
    assert len(text) == response.content_length
    assert list(json.loads(text)) == list(BODY)
    assert json.loads(text) == {**BODY, "audio": base64.b64encode(speech).decode()}


def test_a_long_speech_is_not_copied(request_context):
    speech = spooled(bytes(5_000_000))
    tracemalloc.start()
    for piece in json_with_speech(BODY, speech).response:
        assert len(piece) < 100_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000


def spooled(speech: bytes) -> Spool:
    spool = Usage().spool()
    spool.write(speech)
    spool.seek(0)
    return spool


def conversation_line(text: str) -> dict[str, str]:
    """The fields of the one line that tells of a conversation."""
    [line] = [line for line in text.splitlines() if "total_ms=" in line]
    return dict(re.findall(r"(\w+)=(\S*)", line))


@pytest.mark.parametrize("read", [1, 3])
def test_an_answer_that_the_caller_cuts_is_one_warning(openai, logged, read):
    """It says of which request, and how much was written; the piece on its way does not count."""
    openai.post(TTS, content=b"ID3" + bytes(5_000_000))
    logged.set_level(logging.INFO)
    body, close = start_answer()
    pieces = iter(body)
    written = [len(next(pieces)) for _ in range(read)]
    assert "total_ms" not in logged.text
    close()
    told = conversation_line(logged.text)
    assert (told["event"], told["request_id"]) == ("answer_cut", "id-1")
    assert (told["stage"], told["code"]) == ("tts", "caller_disconnected")
    assert (told["status"], int(told["bytes_out"])) == ("200", sum(written[:-1]))
    assert [record.levelname for record in logged.records] == ["WARNING"]


def test_an_answer_that_is_read_is_no_warning(openai, logged):
    """The line tells the bytes that were written, and the time that it took, once it has ended."""
    openai.post(TTS, content=b"ID3" + bytes(500_000))
    logged.set_level(logging.INFO)
    body, close = start_answer()
    pieces = iter(body)
    length = len(next(pieces))
    time.sleep(0.3)
    length += len(b"".join(pieces))
    close()
    told = conversation_line(logged.text)
    assert "event" not in told
    assert int(told["bytes_out"]) == length > 600_000
    assert float(told["total_ms"]) >= 300


def start_answer() -> tuple[Iterable[bytes], Callable[[], None]]:
    """The body of a conversation's answer as the server gets it, and what closes it."""
    data = {"audio": (BytesIO(wav()), "a.wav")}
    headers = {**MAIN, "X-Request-ID": "id-1"}
    request = EnvironBuilder(PATH, method="POST", headers=headers, data=data)
    body = make_app()(request.get_environ(), lambda status, headers, error=None: None)
    return body, body.close
