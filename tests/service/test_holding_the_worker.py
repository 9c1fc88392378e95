"""What hostile texts, answers and uploads cost the worker that serves them: time and memory.

Others wait a tenth of a second at most.
"""

import base64
import gzip
import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle

import pytest
import requests
from testing import fake_openai as fake
from testing.builders import FROZEN_LIST, KEY
from testing.fake_streams import streams_chat
from testing.odd_texts import ANSWERS, FRAMES, TEXTS, filled
from testing.raw_callers import connect, longest_hold, memory, until_closed
from testing.served_conversations import converse
from testing.upstream_faults import FAULTS, SLOW, says

from parley.web.serving.worker import CHUNKS

MOST_MS = 100
"""How long one greenlet may keep the worker from all others, in processor time."""

JSON, STREAM, SOUND = "application/json", "text/event-stream", "audio/wav"
VARIABLES = {"PARLEY_MODEL_LIST": str(FROZEN_LIST)}  # It has a model of the Realtime API.
WHOLE_CHARACTERS, STREAMED_CHARACTERS = 100_000, 10_000
SPEECH = b"ID3" + bytes(15_999_000)


@pytest.fixture(scope="module")
def service(serve_all):
    # Coverage would multiply the time that is measured.
    unmeasured = ("env", "-u", "COVERAGE_PROCESS_CONFIG", "-u", "COVERAGE_PROCESS_START")
    how = {"app": "testing.measured_app:app", "under": unmeasured}
    return serve_all(**how, PARLEY_DEADLINE="2", **VARIABLES)


@pytest.fixture
def held_ms(service, served_upstream):
    """A conversation that accepts one thing; then how long it held the worker at most."""

    def measure(accept, answers, callers=1, tts_model=""):
        served_upstream.answers = answers
        longest_hold(service)
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(lambda _: hold(service, accept, tts_model), range(callers)))
        return longest_hold(service)

    yield measure
    served_upstream.answers = {}


def hold(service, accept, tts_model):
    """One conversation, however it ends; sound may break off."""
    form = {"audio_format": "wav", "tts_model": tts_model}
    with suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        answer = converse(service, fields=form, Accept=accept)
        assert answer.status_code in (200, 206, 400, 401, 500)


@pytest.mark.parametrize("accept", [JSON, STREAM])  # A text becomes sound alone as it does JSON.
@pytest.mark.parametrize("name", TEXTS)
def test_no_reply_holds_the_worker(held_ms, name, accept):
    """Neither a long one at once, nor one that comes by four characters."""
    characters = STREAMED_CHARACTERS if accept == STREAM else WHOLE_CHARACTERS
    text = filled(TEXTS[name], characters)
    assert held_ms(accept, {"text": streams_chat(reply=lambda body: text)}) < MOST_MS


@pytest.mark.parametrize("accept", [JSON, STREAM])
@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_that_is_hard_to_decode_holds_the_worker(held_ms, name, accept):
    """However much it becomes, and however little."""
    stage, answer = ANSWERS[name]
    assert held_ms(accept, {stage: answer}) < MOST_MS


@pytest.mark.parametrize(
    ("name", "accept"),
    [*((name, JSON) for name in FRAMES), ("single samples", STREAM), ("single samples", SOUND)],
)
def test_no_frames_of_a_websocket_hold_the_worker(held_ms, name, accept):
    """However many arrive at once; only sound is handed on, in a way of each answer's own."""
    assert held_ms(accept, {"tts": FRAMES[name]}, tts_model="gpt-realtime-2.1-mini") < MOST_MS


WAYS = cycle([("stt", JSON), ("text", STREAM), ("tts", SOUND)])


@pytest.mark.parametrize(
    ("fault", "stage", "accept"),
    [(fault, *next(WAYS)) for fault in FAULTS[1:] for _ in range(2)],
    ids=lambda value: getattr(value, "name", value),
)
def test_no_fault_of_an_upstream_holds_the_worker(held_ms, fault, stage, accept):
    """Each at two of the three stages, all of which read answers in the same way."""
    assert held_ms(accept, {stage: fault.behave}) < MOST_MS


def test_no_slow_upstream_holds_the_worker(held_ms):
    faults = cycle(SLOW)
    answers = {"stt": lambda connection, asked: next(faults).behave(connection, asked)}
    assert held_ms(JSON, answers, callers=30) < MOST_MS


def uploads_in_chunks(service, chunk: bytes, count: int) -> bytes:
    """The answer to a form that comes in chunks, and is left before its end."""
    head = (
        b"POST /api/conversation/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nX-OpenAI-API-Key: " + KEY.encode()
    )
    part = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
    with connect(service) as caller:
        caller.sendall(head + b"\r\n\r\n%x\r\n%b\r\n" % (len(part), part))
        for _ in range(count // 1000):
            caller.sendall(chunk * 1000)
        caller.shutdown(socket.SHUT_WR)
        return until_closed(caller)


def test_uploads_in_tiny_chunks_hold_up_nobody(service):
    """Twenty at once, of one byte in each chunk, or of one byte and a long extension."""
    chunks = [b"1\r\na\r\n", b"1;x=" + b"y" * 200 + b"\r\na\r\n"] * 10
    longest_hold(service)
    with ThreadPoolExecutor(20) as callers:
        for answer in callers.map(lambda chunk: uploads_in_chunks(service, chunk, 20_000), chunks):
            assert b"HTTP/1.1 400" in answer or not answer
    assert longest_hold(service) < MOST_MS


def test_long_uploads_hold_up_nobody(service):
    """What four callers send at once is written to disk meanwhile."""
    longest_hold(service)
    with ThreadPoolExecutor(4) as callers:
        answers = callers.map(lambda _: converse(service, audio=bytes(25_000_000)), range(4))
        assert {answer.status_code for answer in answers} == {400}
    assert longest_hold(service) < MOST_MS


def test_a_body_of_too_many_chunks_is_told_so(service):
    answer = uploads_in_chunks(service, b"1\r\na\r\n", CHUNKS + 1000)
    assert b"HTTP/1.1 400" in answer
    assert b"too many chunks" in answer


def digest_of(answer: requests.Response) -> str:
    digest = hashlib.sha256()
    with answer:
        for piece in answer.iter_content(256 * 1024):
            digest.update(piece)
    return digest.hexdigest()


def test_ten_long_answers_fit(serve, upstream):
    """16 MB of speech each, which came as 15 kB: all of it arrives, whoever reads it when."""
    upstream.answers["tts"] = says(fake.http(gzip.compress(SPEECH), Content_Encoding="gzip"))
    service = serve(app="testing.measured_app:app", PARLEY_DEADLINE="120", **VARIABLES)
    first = converse(service, 120)
    assert base64.b64decode(first.json()["audio"]) == SPEECH
    longest_hold(service)
    before = memory(service)
    with ThreadPoolExecutor(10) as callers:
        answers = list(callers.map(lambda _: converse(service, 120, stream=True), range(10)))
        # Nobody is refused for what lies on disk.
        answers.append(converse(service, 120, stream=True))
        told = set(callers.map(digest_of, answers))
    assert told == {hashlib.sha256(first.content).hexdigest()}
    assert memory(service, "VmHWM") - before < 100
    assert longest_hold(service) < MOST_MS
