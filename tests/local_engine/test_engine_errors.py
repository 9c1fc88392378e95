"""The engine's refusals: OpenAI's statuses, in OpenAI's envelope."""

from types import SimpleNamespace

import openai
import pytest
import requests

from local_engine.app import create_app

HELLO = [{"role": "user", "content": "Hello."}]
CHAT, SPEECH, TRANSCRIPTION = "/chat/completions", "/audio/speech", "/audio/transcriptions"


@pytest.mark.parametrize(
    ("path", "stage", "sent", "status", "param"),
    [
        (CHAT, None, {"data": "not JSON"}, 400, None),
        (CHAT, None, {"json": ["a", "list"]}, 400, None),
        (CHAT, None, {"json": {"messages": HELLO}}, 400, "model"),
        (CHAT, None, {"json": {"model": 5, "messages": HELLO}}, 400, "model"),
        (CHAT, "text", {"json": {}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": []}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": ["Hello."]}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": [{"content": "Hello."}]}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": [{"role": "user"}]}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": HELLO, "temperature": "hot"}}, 400, "temperature"),
        (CHAT, "text", {"json": {"messages": HELLO, "max_tokens": 0}}, 400, "max_tokens"),
        (CHAT, "text", {"json": {"messages": HELLO, "stop": [5]}}, 400, "stop"),
        (CHAT, "tts", {"json": {"messages": HELLO}}, 404, "model"),
        (SPEECH, "tts", {"json": {"voice": "alloy"}}, 400, "input"),
        (SPEECH, "tts", {"json": {"voice": "alloy", "input": ""}}, 400, "input"),
        (SPEECH, "tts", {"json": {"voice": "alloy", "input": "🙂"}}, 400, "input"),
        (SPEECH, "tts", {"json": {"voice": "alloy", "input": "a" * 4097}}, 400, "input"),
        (SPEECH, "tts", {"json": {"input": "Hello."}}, 400, "voice"),
        (SPEECH, "tts", {"json": {"voice": "bob", "input": "Hello."}}, 400, "voice"),
        (SPEECH, "tts", {"json": {"voice": "ash", "input": "Hi", "speed": 9}}, 400, "speed"),
        (SPEECH, "stt", {"json": {"voice": "ash", "input": "Hi"}}, 404, "model"),
        (TRANSCRIPTION, "stt", {"data": {}}, 400, "file"),
        (TRANSCRIPTION, "stt", {"data": {"file": "not a file"}}, 400, "file"),
        (TRANSCRIPTION, "stt", {"files": {"file": ("a.mp3", b"")}}, 400, "file"),
        (TRANSCRIPTION, "stt", {"files": {"file": ("a.mp3", b"no audio" * 99)}}, 400, "file"),
        (TRANSCRIPTION, "text", {"files": {"file": ("a.mp3", b"")}}, 404, "model"),
        (TRANSCRIPTION, "stt", {"files": {"file": ("a", bytes(27_000_000))}}, 413, None),
        ("/nowhere", None, {}, 404, None),
        ("/models", None, {}, 405, None),
    ],
)
def test_what_cannot_be_used_is_refused(base_url, models, path, stage, sent, status, param):
    """Each refusal has its status, names the field at fault, and can be quoted by its id.

    No key is asked for, since it serves this machine alone.
    """
    place = "json" if "json" in sent else "data"
    if stage:
        sent = sent | {place: {"model": models[stage], **sent.get(place, {})}}
    answer = requests.post(base_url + path, timeout=30, **sent)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert error["code"] == ("model_not_found" if (status, param) == (404, "model") else None)
    assert error["message"]
    assert answer.headers["x-request-id"]
    assert ("GET" in answer.headers.get("Allow", "")) is (status == 405)


@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_raises_its_own_classes(client, models, stream):
    """A program that handles the upstream's errors handles these."""
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=stream)
    assert missing.value.code == "model_not_found"
    too_long = [{"role": "user", "content": "again " * 5000}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=models["text"], messages=too_long, stream=stream)
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")


def test_a_fault_of_ours_shows_nothing_of_itself():
    """A 500 is in the same envelope, without a traceback or what was said."""

    def speak(*_):
        raise RuntimeError("a secret")

    engines = [SimpleNamespace(name=name, rate=24_000, speak=speak) for name in ("a", "b", "c")]
    lines = []
    caller = create_app(*engines, log=lines.append).test_client()
    answer = caller.post(
        "/v1/audio/speech", json={"model": "c", "voice": "alloy", "input": "Hello."}
    )
    assert answer.status_code == 500
    assert answer.json["error"]["type"] == "server_error"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
