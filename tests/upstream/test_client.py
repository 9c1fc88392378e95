"""The client of one conversation: what each call sends, what it takes, and what it records."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from requests_mock import Mocker
from testing.builders import make_client
from testing.conversation_forms import BASE, TTS

from parley.errors import UpstreamError
from parley.memory import Spool
from parley.models.registry import Model
from parley.recordings import KINDS, Recording
from parley.upstream.calls import AttemptRecord
from parley.upstream.client import Client

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


def test_a_call_has_the_parameters_of_its_models_row_and_nothing_more(client, openai):
    client.transcribe(Recording(BytesIO(b"bytes"), 5, KINDS[0]))
    form = b"".join(openai.last_request.body)
    for name, value in (("model", "whisper-1"), ("response_format", "json"), ("temperature", "0")):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in form
    assert client.complete("What time is it?") == ("It is noon.", None)
    asked = openai.last_request.json()
    assert [message["content"] for message in asked.pop("messages")] == [
        "Be brief.",
        "What time is it?",
    ]
    assert asked == {"model": "gpt-6-luna", "reasoning_effort": "none", "stream": False}
    assert client.speak("It is noon.").read() == b"ID3 speech"
    spoken = {"model": "tts-1", "input": "It is noon.", "voice": "alloy"}
    assert openai.last_request.json() == {**spoken, "response_format": "mp3", "speed": 1.1}


def test_a_refused_websocket_is_recorded_with_its_id(client: Client, openai: Mocker):
    client.models_used["tts"] = READER
    openai.get(f"{BASE}/realtime", status_code=403, headers={"x-request-id": "up-1"})
    with pytest.raises(UpstreamError):
        client.speak("Hello.")
    assert client.attempts == [AttemptRecord(is_retry=False, upstream_id="up-1")]


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
