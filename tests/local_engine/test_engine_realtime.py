"""The engine's Realtime API, kept to OpenAI's own client."""

import base64
import time

import numpy as np
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

TEXT = "Plants make food from sunlight, water and air."
# The SDK asks the library for a connection in a way that the library has begun to advise against.
pytestmark = pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")
EVENTS = TypeAdapter(RealtimeServerEvent)


def request(text: str) -> dict:
    content = [{"type": "input_text", "text": text}]
    message = {"type": "message", "role": "user", "content": content}
    return {"conversation": "none", "output_modalities": ["audio"], "input": [message]}


def read_aloud(connection, text: str) -> list:
    """The events of one response, each of a type that the SDK knows, with all its fields."""
    connection.response.create(response=request(text))
    events = []
    for event in connection:
        EVENTS.validate_python(event.model_dump())
        events.append(event)
        if event.type in ("response.done", "error"):
            return events
    raise AssertionError(events)


@pytest.fixture
def session(client, models):
    """A session of the engine's voice, which has begun."""
    with client.realtime.connect(model=models["tts"]) as connection:
        assert connection.recv().type == "session.created"
        yield connection


def test_a_text_is_read_in_the_engines_own_voice(session, say):
    """The PCM is that of /audio/speech, and the transcript the text; a session reads on."""
    for _ in range(2):
        *deltas, transcript, done = read_aloud(session, TEXT)
        pcm = b"".join(base64.b64decode(event.delta) for event in deltas)
        assert np.array_equal(np.frombuffer(pcm, "<i2"), np.frombuffer(say(TEXT, "pcm"), "<i2"))
        assert transcript.transcript == TEXT
        assert done.response.status == "completed"


def test_what_cannot_be_said_or_read_is_refused_and_the_session_goes_on(session):
    """An error event, as the upstream's, for anything but a `response.create` with a text."""
    for text in ("", "🙂"):
        assert read_aloud(session, text)[-1].error.type == "invalid_request_error"
    for nonsense in ("{", "[]", "1", '{"response": {"input": [{"content": 1}]}}'):
        session.send_raw(nonsense)
        assert session.recv().type == "error"
    assert read_aloud(session, TEXT)[-1].response.status == "completed"


def test_another_model_is_not_found(client):
    """The code that the upstream has for it."""
    with client.realtime.connect(model="gpt-realtime-2.1-mini") as connection:
        assert connection.recv().error.code == "model_not_found"


def test_audio_is_sent_as_it_is_spoken(session):
    """A long text's first sentence is heard long before its last; each response has its own id."""
    responses = set()
    for _ in range(2):
        begun = time.monotonic()
        session.response.create(response=request("One more sentence is spoken. " * 12))
        responses.add(session.recv().response_id)
        first = time.monotonic() - begun
        while session.recv().type != "response.done":
            pass
        assert first < (time.monotonic() - begun) / 2
    assert len(responses) == 2


def test_a_session_that_its_client_leaves_ends(client, models, ends):
    """Nobody speaks on where nobody hears: this would take a minute and more."""
    for _ in range(12):
        with client.realtime.connect(model=models["tts"]) as connection:
            connection.recv()
            connection.response.create(response=request("One more sentence is spoken. " * 120))
            connection.recv()
    assert ends("GET /v1/realtime", 12)
