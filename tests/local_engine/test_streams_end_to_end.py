"""Streamed answers of three real models: each word is heard, in order, before the last is made."""

import json
from contextlib import closing
from urllib.parse import unquote

import pytest
import requests
from testing.gunicorn_process import Service
from testing.stream_readers import Told, events_of, heard
from testing.word_errors import joined, word_error_rate

STORY = "Tell me how bread is made, in {} sentences."
"""The bundled model's answer to it is several segments long."""

LIMIT = 60  # seconds


def post(service: Service, recording: bytes, accept: str, **fields: str) -> requests.Response:
    """A conversation's answer, whose body is not read yet."""
    return requests.post(
        service.conversation_url,
        headers={"X-OpenAI-API-Key": "local", "Accept": accept},
        files={"audio": ("a.wav", recording)},
        data=fields,
        stream=True,
        timeout=LIMIT,
    )


def told(service: Service, recording: bytes, **fields: str) -> list[Told]:
    """All events of a streamed answer, as a client that is not ours parses them."""
    with closing(post(service, recording, "text/event-stream", **fields)) as response:
        return list(events_of(response.iter_content(None)))


@pytest.mark.parametrize(
    ("interface", "form", "sentences"),
    [("service", "mp3", "five"), ("realtime_service", "wav", "three")],
)
def test_a_stream_rebuilds_the_reply_in_text_and_sound(
    request, say, hear, form, interface, sentences
):
    """Deltas and segments are the reply, and the joined sound says it, whatever the format.

    That holds for both interfaces: a call for each segment, and one WebSocket for all. The first
    sound is there in the first half of the answer, and before its text has ended.
    """
    service = request.getfixturevalue(interface)
    events = told(service, say(STORY.format(sentences), "wav"), audio_format=form)
    times = [(name, data["at"]) for name, data in events]
    stream = heard(events)
    assert (stream.code, stream.form) == (None, form)
    assert len(stream.segments) > 1
    assert word_error_rate(stream.text, hear(joined(stream.sounds, form))) <= 0.2
    if interface == "service":
        (_, transcript), *_, (_, done) = times
        first = next(at for name, at in times if name == "audio")
        assert first < [at for name, at in times if name == "text"][-1]
        assert first - transcript < (done - transcript) / 2


def test_sound_alone_says_the_reply(service, say, hear):
    """The body is one file, and the headers hold what was heard and what is said."""
    recording = say("What is the capital of France?", "wav")
    with closing(post(service, recording, "audio/wav")) as response:
        sound = response.content
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/wav")
    reply = unquote(response.headers["X-Text-Response"])
    assert "Paris" in reply
    assert word_error_rate(reply, hear(joined([sound], "wav"))) <= 0.2


def test_a_second_turn_remembers_the_first(service, say):
    """The name is in `history` alone; the model, which has read it, says it."""
    turns = [
        {"role": "user", "content": "My dog is called Rex."},
        {"role": "assistant", "content": "That is a lovely name."},
    ]
    recording = say("What is the name of my dog?", "wav")
    replies = [
        heard(told(service, recording, **fields)).text
        for fields in ({}, {"history": json.dumps(turns)})
    ]
    assert ["Rex" in reply for reply in replies] == [False, True]
