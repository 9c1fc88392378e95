"""Streamed answers of three real models: each word is heard, in order, before the last is made."""

import pytest
import requests
from testing.gunicorn_process import Service
from testing.representations import ask
from testing.stream_readers import Told, events_of, heard
from testing.word_errors import joined, word_error_rate

STORY = "Tell me how bread is made, in {} sentences."
"""The bundled model's answer to it is several segments long."""


def told(service: Service, recording: bytes, **fields: str) -> list[Told]:
    """All events of a streamed answer, as a client that is not ours parses them."""
    with requests.post(
        service.conversation_url,
        headers={"X-OpenAI-API-Key": "local", "Accept": "text/event-stream"},
        files={"audio": ("a.wav", recording)},
        data=fields,
        stream=True,
        timeout=60,
    ) as response:
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
    told = ask(service.url, "audio/wav", audio=say("What is the capital of France?", "wav"))
    assert (told.status, told.sound[:4], "Paris" in told.reply) == (200, b"RIFF", True)
    assert word_error_rate(told.reply, hear(joined([told.sound], "wav"))) <= 0.2
