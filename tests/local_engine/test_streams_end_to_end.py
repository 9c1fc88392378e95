"""Streamed answers of three real models: each word is heard, in order, before the last is made."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from testing.gunicorn_process import Service, serving
from testing.word_errors import joined, word_error_rate

STORY = "Tell me how bread is made, in five sentences."
"""The bundled model's answer to it is several segments long."""

TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
LIMIT = 60  # seconds
Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def realtime_service(
    base_url: str, run_command: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The same, whose speech is asked for over the engine's Realtime API."""
    folder: Path = tmp_path_factory.mktemp("realtime")
    models = run_command("--model-list").stdout
    assert "| speech |" in models
    (folder / "MODEL_LIST.MD").write_text(models.replace("| speech |", "| realtime |"))
    variables = {
        "PARLEY_OPENAI_BASE_URL": base_url,
        "PARLEY_MODEL_LIST": str(folder / "MODEL_LIST.MD"),
    }
    with serving(folder / "log", variables) as running:
        yield running


def events_of(url: str, recording: bytes, **fields: str) -> Events:
    """All events of a streamed answer, as a client that is not ours parses them."""
    request = {
        "headers": {"X-OpenAI-API-Key": "local"},
        "files": {"audio": ("a.wav", recording)},
        "data": fields,
    }
    with (
        httpx2.Client(timeout=LIMIT) as client,
        client.sse(url, method="POST", **request) as source,
    ):
        return [(event.event, json.loads(event.data)) for event in source]


def only(kind: str, events: Events) -> list[dict[str, Any]]:
    return [data for name, data in events if name == kind]


def sound_of(events: Events) -> list[bytes]:
    """The file of each segment."""
    files = [bytearray() for _ in only("segment", events)]
    for piece in only("audio", events):
        files[piece["segment"]] += base64.b64decode(piece["data"])
    return [bytes(file) for file in files]


@pytest.mark.parametrize(
    ("interface", "form"),
    [("service", "mp3"), ("service", "wav"), ("realtime_service", "mp3")],
)
def test_a_stream_rebuilds_the_reply_in_text_and_sound(request, say, hear, form, interface):
    """Deltas and segments are the reply, and the joined sound says it, whatever the format.

    That holds for both interfaces: a call for each segment, and one WebSocket for all. The first
    sound is there in the first half of the answer, and before its text has ended.
    """
    service = request.getfixturevalue(interface)
    events = events_of(service.conversation_url, say(STORY, "wav"), audio_format=form)
    assert (events[0][0], events[-1][0]) == ("transcript", "done")
    reply = events[-1][1]["text_response"]
    segments = only("segment", events)
    assert len(segments) > 2
    assert {segment["format"] for segment in segments} == {form}
    assert "".join(data["delta"] for data in only("text", events)) == reply
    assert "".join(segment["text"] for segment in segments) == reply
    assert word_error_rate(reply, hear(joined(sound_of(events), form))) <= 0.2
    if (interface, form) == ("service", "mp3"):
        transcript, done = events[0][1]["at"], events[-1][1]["at"]
        first, last_text = only("audio", events)[0]["at"], only("text", events)[-1]["at"]
        assert first < last_text
        assert first - transcript < (done - transcript) / 2


@pytest.mark.parametrize("form", TYPES)
def test_sound_alone_says_the_reply(service, say, hear, form):
    """The body is one file, and the headers hold what was heard and what is said."""
    response = httpx2.post(
        service.conversation_url,
        headers={"X-OpenAI-API-Key": "local", "Accept": TYPES[form]},
        files={"audio": ("a.wav", say("What is the capital of France?", "wav"))},
        timeout=LIMIT,
    )
    assert (response.status_code, response.headers["Content-Type"]) == (200, TYPES[form])
    reply = unquote(response.headers["X-Text-Response"])
    assert "Paris" in reply
    assert word_error_rate(reply, hear(joined([response.content], form))) <= 0.2


def test_a_second_turn_remembers_the_first(service, say):
    """The name is in `history` alone; the model, which has read it, says it."""
    told = "My dog is called Rex."
    turns = [
        {"role": "user", "content": told},
        {"role": "assistant", "content": "That is a lovely name."},
    ]
    recording = say("What is the name of my dog?", "wav")
    replies = [
        events_of(service.conversation_url, recording, **fields)[-1][1]["text_response"]
        for fields in ({}, {"history": json.dumps(turns)})
    ]
    assert ["Rex" in reply for reply in replies] == [False, True]
