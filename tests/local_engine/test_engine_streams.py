"""The engine's streams, HTTP's and the Realtime API's: sent as they are made, ended early."""

import base64
import io
import json
import time

import av
import pytest
import requests
from openai.types.chat import ChatCompletionChunk
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

LONG = "One more sentence is spoken here. " * 8
TEXT = "Plants make food from sunlight, water and air."
EVENTS = TypeAdapter(RealtimeServerEvent)
# The SDK asks the library for a connection in a way that the library has begun to advise against.
pytestmark = pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")


def text_of(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@pytest.mark.parametrize("counted", [False, True])
def test_a_reply_is_sent_in_the_events_of_the_upstream(base_url, models, counted):
    """A role, the pieces, the reason, the usage if it was asked for, and `[DONE]`; no more."""
    sent = {"model": models["text"], "messages": [{"role": "user", "content": "Hello."}]}
    sent |= {"stream": True, "max_tokens": 4, "stream_options": {"include_usage": counted}}
    answer = requests.post(f"{base_url}/chat/completions", json=sent, timeout=60)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    *events, done, end = answer.content.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    assert all(event.startswith("data: ") for event in events)
    chunks = [ChatCompletionChunk.model_validate_json(event[6:], strict=True) for event in events]
    if counted:
        assert chunks[-1].choices == []
        assert chunks.pop().usage.completion_tokens == 4
    assert not any(json.loads(event[6:]).get("usage") for event in events[: len(chunks)])
    (first,), *middle, (last,) = [chunk.choices for chunk in chunks]
    assert (first.delta.role, first.finish_reason) == ("assistant", None)
    assert all(choice.delta.content and not choice.finish_reason for (choice,) in middle)
    assert (last.delta.content, last.finish_reason) == (None, "length")


def test_a_reply_is_sent_as_it_is_written(ask):
    begun = time.monotonic()
    chunks = iter(ask("Write a very long story about a dragon.", stream=True, max_tokens=50))
    while not text_of([next(chunks)]):
        pass
    first = time.monotonic() - begun
    assert len(text_of(chunks)) > 75
    assert first < (time.monotonic() - begun) / 2


@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
def test_speech_is_sent_as_it_is_spoken(client, models, say, form):
    begun = time.monotonic()
    with client.audio.speech.with_streaming_response.create(
        model=models["tts"], voice="nova", input=LONG, response_format=form
    ) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        parts = response.iter_bytes()
        audio = next(parts)
        first = time.monotonic() - begun
        audio += b"".join(parts)
    assert first < (time.monotonic() - begun) / 2
    assert audio == say(LONG, form)


def test_a_streamed_wav_admits_that_its_length_is_unknown(say):
    """Its two lengths are as high as can be, as the upstream's are, and players read to the end."""
    audio = say("Hello.", "wav")
    assert audio[4:8] == audio[audio.index(b"data") + 4 :][:4] == b"\xff" * 4
    with av.open(io.BytesIO(audio)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == len(say("Hello.", "pcm")) / 2


def test_abandoned_replies_leave_the_engine_free(ask, ends):
    """Nobody waits for replies that nobody reads: these would take minutes."""
    for number in range(10):  # More than it writes at once.
        stream = ask(f"Write story {number}.", stream=True, max_tokens=1900)
        next(iter(stream))
        stream.close()
    begun = time.monotonic()
    assert text_of(ask("Hello.", stream=True, max_tokens=3))
    assert time.monotonic() - begun < 60
    assert ends("POST /v1/chat/completions", 11)


def test_abandoned_speech_ends(client, models, ends):
    """Nobody speaks on where nobody hears, over either interface: this would take minutes."""
    for _ in range(6):
        with client.audio.speech.with_streaming_response.create(
            model=models["tts"], voice="nova", input=LONG * 13, response_format="mp3"
        ) as response:
            next(response.iter_bytes())
        with client.realtime.connect(model=models["tts"]) as connection:
            connection.recv()
            connection.response.create(response=reading(LONG * 15))
            connection.recv()
    assert ends("POST /v1/audio/speech", 6)
    assert ends("GET /v1/realtime", 6)


def reading(text: str) -> dict:
    content = [{"type": "input_text", "text": text}]
    message = {"type": "message", "role": "user", "content": content}
    return {"conversation": "none", "output_modalities": ["audio"], "input": [message]}


def read_aloud(connection, text: str) -> list:
    """The events of one response, each of a type that the SDK knows, with all its fields."""
    connection.response.create(response=reading(text))
    events = []
    for event in connection:
        EVENTS.validate_python(event.model_dump())
        events.append(event)
        if event.type in ("response.done", "error"):
            return events
    raise AssertionError(events)


@pytest.fixture
def session(client, models):
    with client.realtime.connect(model=models["tts"]) as connection:
        assert connection.recv().type == "session.created"
        yield connection


def test_a_session_reads_in_the_engines_own_voice_and_goes_on(session, client, say):
    """The PCM is that of /audio/speech, and the transcript the text.

    An error event, as the upstream's, is for anything but a `response.create` with a text.
    """
    for again in (True, False):
        *deltas, transcript, done = read_aloud(session, TEXT)
        assert b"".join(base64.b64decode(each.delta) for each in deltas) == say(TEXT, "pcm")
        assert transcript.transcript == TEXT
        assert done.response.status == "completed"
        for text in ("", "🙂") if again else ():
            assert read_aloud(session, text)[-1].error.type == "invalid_request_error"
        for nonsense in ("{", "[]", "1", '{"response": {"input": [{"content": 1}]}}'):
            session.send_raw(nonsense)
            assert session.recv().type == "error"
    with client.realtime.connect(model="gpt-realtime-2.1-mini") as other:
        assert other.recv().error.code == "model_not_found"


def test_audio_is_sent_as_it_is_spoken(session):
    """A long text's first sentence is heard long before its last; each response has its own id."""
    responses = set()
    for _ in range(2):
        begun = time.monotonic()
        session.response.create(response=reading(LONG))
        responses.add(session.recv().response_id)
        first = time.monotonic() - begun
        while session.recv().type != "response.done":
            pass
        assert first < (time.monotonic() - begun) / 2
    assert len(responses) == 2
