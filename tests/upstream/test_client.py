"""The client of one conversation: what each call sends, what it takes, and what it records."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
import requests
from requests_mock import Mocker
from testing.builders import KEY, make_client

from parley.errors import UpstreamError, UpstreamMalformed, UpstreamUnavailable
from parley.memory import Spool
from parley.models.registry import Model
from parley.recordings import KINDS, Recording
from parley.upstream.calls import AttemptRecord
from parley.upstream.client import Client

BASE = "https://api.openai.com/v1"
STT, TEXT, TTS = f"{BASE}/audio/transcriptions", f"{BASE}/chat/completions", f"{BASE}/audio/speech"
MODELS = {
    "stt": Model("whisper-1", "transcriptions", {"temperature": "0"}),
    "text": Model("gpt-6-luna", "chat", {"reasoning_effort": "none"}),
    "tts": Model("tts-1", "speech", {"speed": 1.1}),
}
READER = Model("gpt-realtime-2.1-mini", "realtime")


@pytest.fixture
def client() -> Client:
    """The calls of one conversation, with twenty seconds left."""
    return make_client(BASE, dict(MODELS))


def recording(kind: int = 0) -> Recording:
    return Recording(BytesIO(b"bytes"), 5, KINDS[kind])


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_recording_is_named_from_its_kind(client: Client, openai: Mocker, kind: int):
    """The upstream reads the format from the file's name, so ours is always right."""
    forms = []

    def hear(request, _):
        forms.append(b"".join(request.body))
        return {"text": " What time is it? "}

    openai.post(STT, json=hear)
    assert client.transcribe(recording(kind)) == "What time is it?"
    assert f'filename="{KINDS[kind].file_name}"'.encode() in forms[0]
    assert f"Content-Type: {KINDS[kind].mime_type}".encode() in forms[0]
    for name, value in (("model", "whisper-1"), ("response_format", "json"), ("temperature", "0")):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in forms[0]


def test_a_retried_recording_is_sent_from_its_start(client: Client, openai: Mocker):
    """A first try that read half of the file leaves nothing out of the second."""
    bodies = []

    def hear(request, context):
        bodies.append(b"".join(request.body))
        context.status_code = 500 if len(bodies) == 1 else 200
        return {"text": "Hello."}

    openai.post(STT, json=hear)
    client.transcribe(recording())
    assert len(bodies) == 2
    assert all(b"\r\n\r\nbytes\r\n" in body for body in bodies)


def test_the_chat_model_gets_the_prompt_and_then_the_transcript(client: Client, openai: Mocker):
    """With the parameters of its row, and nothing more."""
    assert client.complete("What time is it?").text == "It is noon."
    assert openai.last_request.json() == {
        "model": "gpt-6-luna",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What time is it?"},
        ],
        "reasoning_effort": "none",
        "stream": False,
    }


def test_speech_is_asked_for_in_one_voice_and_format(client: Client, openai: Mocker):
    """With the parameters of its row, and nothing more."""
    assert client.speak("It is noon.").read() == b"ID3 speech"
    assert openai.last_request.json() == {
        "model": "tts-1",
        "input": "It is noon.",
        "voice": "alloy",
        "response_format": "mp3",
        "speed": 1.1,
    }


@pytest.mark.parametrize(
    ("choice", "text", "failure"),
    [
        ({"message": {"content": " Yes. "}, "finish_reason": "stop"}, "Yes.", None),
        ({"message": {"content": "Yes"}, "finish_reason": "length"}, "Yes", "text_incomplete"),
        (
            {"message": {"content": "Yes"}, "finish_reason": "content_filter"},
            "Yes",
            "text_incomplete",
        ),
        ({"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}, "No.", None),
        ({"message": {"content": "Yes.", "refusal": None}}, "Yes.", None),
    ],
)
def test_a_reply_is_its_content_or_its_refusal(client, openai, choice, text, failure):
    """And a failure beside it if the model did not finish it."""
    openai.post(TEXT, json={"choices": [choice]})
    reply = client.complete("Hello?")
    assert reply.text == text
    assert (reply.failure.code if reply.failure else None) == failure


@pytest.mark.parametrize("call", ["transcribe", "complete", "speak"])
def test_an_answer_without_content_is_malformed(client: Client, openai: Mocker, call: str):
    """The error names the answer that caused it."""
    for url in (STT, TEXT, TTS):
        openai.post(url, content=b"", headers={"x-request-id": "up-1", "Content-Length": "0"})
    arguments = {
        "transcribe": (recording(),),
        "complete": ("Hello?",),
        "speak": ("Hello.",),
    }
    with pytest.raises(UpstreamMalformed) as raised:
        getattr(client, call)(*arguments[call])
    assert (raised.value.upstream_status, raised.value.upstream_request_id) == (200, "up-1")


def test_every_call_carries_the_key_and_the_requests_id(client: Client, openai: Mocker):
    """The upstream can find the call under the id that the caller knows."""
    client.transcribe(recording())
    client.complete("Hello?")
    client.speak("Hello.")
    for request in openai.request_history:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["X-Client-Request-Id"] == "caller-7"


def test_each_try_is_recorded_once_with_its_id(client: Client, openai: Mocker):
    """A try that failed, one that never got an answer, and the one that worked."""
    openai.post(
        TTS,
        [
            {"status_code": 503, "headers": {"x-request-id": "up-1"}},
            {"exc": requests.ConnectionError},
            {"content": b"ID3 speech", "headers": {"x-request-id": "up-3"}},
        ],
    )
    client.speak("Hello.")
    assert client.attempts == [
        AttemptRecord(is_retry=False, upstream_id="up-1"),
        AttemptRecord(is_retry=True),
        AttemptRecord(is_retry=True, upstream_id="up-3"),
    ]


def test_a_refused_websocket_is_recorded_with_its_id(client: Client, openai: Mocker):
    """The Realtime API's refusals have ids as well."""
    client.models_used["tts"] = READER
    openai.get(f"{BASE}/realtime", status_code=403, headers={"x-request-id": "up-1"})
    with pytest.raises(UpstreamError):
        client.speak("Hello.")
    assert client.attempts == [AttemptRecord(is_retry=False, upstream_id="up-1")]


def test_a_call_that_is_given_up_is_recorded_too(client: Client, openai: Mocker):
    """The record does not depend on how the call ends."""
    openai.post(TTS, exc=requests.ConnectionError)
    with pytest.raises(UpstreamUnavailable):
        client.speak("Hello.")
    assert [record.is_retry for record in client.attempts] == [False, True, True]


def test_calls_side_by_side_keep_their_records_apart(client: Client, openai: Mocker):
    """The first calls end last here, and still each id stands on its own call's record."""

    def speak(request, context):
        number = int(request.json()["input"])
        time.sleep(0.01 * (20 - number))
        context.headers["x-request-id"] = f"up-{number}"
        return b"ID3 %d" % number

    openai.post(TTS, content=speak)
    texts = [str(number) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        speeches = list(pool.map(client.speak, texts))
    assert [speech.read() for speech in speeches] == [b"ID3 " + text.encode() for text in texts]
    assert len(client.attempts) == 20
    assert {record.upstream_id for record in client.attempts} == {f"up-{text}" for text in texts}
    assert not any(record.is_retry for record in client.attempts)


def test_what_fails_amid_an_answer_ends_the_attempt(client: Client, monkeypatch):
    """A disk that is full must not leave connections open for as long as somebody has the error."""
    ended = []

    def speaks(*_):
        try:
            yield b"ID3"
        finally:
            ended.append(True)

    monkeypatch.setattr(Client, "_speech_of", speaks)
    monkeypatch.setattr(Spool, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError) as raised:
        client.speak("Hello.")
    assert raised.tb
    assert ended
