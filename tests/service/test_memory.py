"""What hostile answers and uploads cost the worker that serves them: memory, and others' time."""

import base64
import gzip
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
from testing import fake_openai as fake
from testing import fake_realtime as realtime
from testing.builders import FROZEN_LIST, KEY
from testing.raw_callers import PATIENCE, connect, longest_hold, memory, until_closed
from testing.served_conversations import converse
from testing.upstream_faults import Behaviour, says

from parley.web.serving.worker import CHUNKS

SPEECH = b"ID3" + bytes(15_999_000)
VOICE = "tts-1"
LIMIT_MS = 100
"""How long one greenlet may keep the worker from all others, in processor time."""


@pytest.fixture
def service(request, serve):
    """The service; a parameter is the command to run it under, which limits it."""
    variables = {
        "PARLEY_MODEL_LIST": str(FROZEN_LIST),  # It has a model of the Realtime API.
        "PARLEY_DEADLINE": "120",
    }
    return serve(app="testing.measured_app:app", under=getattr(request, "param", ()), **variables)


def gzipped(body: bytes) -> Behaviour:
    """Speech as 15 kB of gzip."""
    return says(fake.http(gzip.compress(body), Content_Encoding="gzip"))


@contextmanager
def watched(service) -> Iterator[list[float]]:
    """The most memory that the worker has while the block runs, in MB beyond what it had before."""
    before, most, over = memory(service), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], memory(service) - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def begin(service, **fields: str) -> requests.Response:
    """An answer whose headers are there."""
    return converse(service, 120, fields=fields, stream=True)


def digest_of(answer: requests.Response) -> str:
    digest = hashlib.sha256()
    with answer:
        for piece in answer.iter_content(256 * 1024):
            digest.update(piece)
    return digest.hexdigest()


def expected(speech: bytes) -> str:
    """The digest of the whole JSON with the speech."""
    body = {
        "transcript": fake.TRANSCRIPT,
        "text_response": fake.REPLY,
        "audio": base64.b64encode(speech).decode(),
        "models_used": {"stt": "whisper-1", "text": "gpt-4o", "tts": VOICE},
        "success": True,
        "errors": [],
    }
    return hashlib.sha256(json.dumps(body, separators=(",", ":")).encode() + b"\n").hexdigest()


def wav_of(chunk: bytes) -> bytes:
    return b"RIFF\xff\xff\xff\xffWAVE" + chunk * (15_999_000 // len(chunk))


def speaks_samples(session: realtime.Session) -> None:
    """One sample in each event, for a second."""
    event = json.dumps({"type": "response.output_audio.delta", "delta": "AAA="}).encode()
    frame = bytes([0x81, len(event)]) + event
    until = time.monotonic() + 1
    while time.monotonic() < until:
        session.connection.sendall(frame * 500)
    session.done()


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


ATTACKS = {
    "WAVs of empty chunks": (5, {"audio_format": "wav"}, gzipped(wav_of(bytes(8)))),
    "WAVs of padded chunks": (5, {"audio_format": "wav"}, gzipped(wav_of(b"JUNK\1\0\0\0x\0"))),
    "a voice of single samples": (
        1,
        {"tts_model": "gpt-realtime-2.1-mini"},
        realtime.plays(speaks_samples),
    ),
}


@pytest.mark.parametrize(("count", "data", "speech"), ATTACKS.values(), ids=ATTACKS)
def test_speech_that_is_much_work_holds_up_nobody(service, upstream, count, data, speech):
    """However little of it was sent."""
    upstream.answers["tts"] = speech
    longest_hold(service)
    with ThreadPoolExecutor(count) as callers, watched(service) as most:
        answers = list(callers.map(lambda _: begin(service, **data), range(count)))
        list(callers.map(digest_of, answers))
    assert all(answer.status_code == 200 for answer in answers), answers
    assert longest_hold(service) < LIMIT_MS
    assert most[0] < 100


def test_uploads_in_tiny_chunks_hold_up_nobody(service):
    """Twenty at once, of one byte in each chunk, or of one byte and a long extension."""
    chunks = [b"1\r\na\r\n", b"1;x=" + b"y" * 200 + b"\r\na\r\n"]
    longest_hold(service)
    with ThreadPoolExecutor(20) as callers:
        uploads = [
            callers.submit(uploads_in_chunks, service, chunks[number % 2], 20_000)
            for number in range(20)
        ]
        for upload in uploads:
            assert b"HTTP/1.1 400" in upload.result() or not upload.result()
    assert longest_hold(service) < LIMIT_MS


def test_a_body_of_too_many_chunks_is_told_so(service):
    """They are counted as they arrive."""
    answer = uploads_in_chunks(service, b"1\r\na\r\n", CHUNKS + 1000)
    assert b"HTTP/1.1 400" in answer
    assert b"too many chunks" in answer


def test_twenty_long_answers_fit(service, upstream):
    """16 MB of speech each, which came as 15 kB: all of it arrives, whoever reads it when."""
    upstream.answers["tts"] = gzipped(SPEECH)
    longest_hold(service)
    with ThreadPoolExecutor(20) as callers, watched(service) as most:
        answers = list(callers.map(lambda _: begin(service), range(20)))
        answers.append(begin(service))  # Nobody is refused for what lies on disk.
        assert list(callers.map(digest_of, answers)) == [expected(SPEECH)] * 21
    assert most[0] < 150
    assert longest_hold(service) < LIMIT_MS


@pytest.mark.parametrize("service", [("prlimit", "--fsize=100000")], indirect=True, ids=["full"])
def test_where_the_disk_is_full_memory_is_the_limit(service, upstream):
    """Who has begun is answered, or fails by name; who would begin is told to wait."""
    gate = threading.Event()

    def thinks(connection: socket.socket, request: fake.Request) -> bool:
        gate.wait(2 * PATIENCE)
        connection.sendall(fake.good(request))
        return True

    with ThreadPoolExecutor(4) as callers:
        upstream.answers["tts"] = gzipped(SPEECH)
        answers = [begin(service) for _ in range(4)]
        [failure] = begin(service).json()["errors"]
        assert (failure["stage"], failure["code"]) == ("tts", "internal_error")
        assert service.logs("errno=EFBIG")
        much = fake.http(json.dumps({"text": "a" * 900_000}).encode())
        upstream.answers = {"stt": says(much), "text": thinks}
        others = []
        for stage in ("text", "text", "stt"):  # The last one waits for room for its transcript.
            seen = len(upstream.requests)
            others.append(callers.submit(begin, service))
            assert fake.soon(lambda: stage in [each.stage for each in upstream.requests[seen:]])  # noqa: B023
        time.sleep(1)
        refused = begin(service)
        assert refused.json()["errors"][0]["code"] == "overloaded"
        assert refused.headers["Retry-After"] == "2"
        gate.set()
        assert [digest_of(answer) for answer in answers] == [expected(SPEECH)] * 4
        for other in (*(other.result() for other in others), begin(service)):
            assert other.json()["success"]
