"""Real speech in, real speech out: gunicorn, the service, and three real models."""

import io

import av
import pytest
from testing.builders import ROOT, wav
from testing.representations import ask
from testing.served_streams import listen
from testing.word_errors import joined, word_error_rate

QUESTION = "What is the capital of France?"
RECORDING = (ROOT / "examples" / "question.wav").read_bytes()
STORY = "Tell me how bread is made, in {} sentences."
"""The bundled model's answer to it is several segments long."""

# How callers' files come: the name, and PyAV's container and codec for it. MP3 is what the engine
# hears of itself, and MP4 is M4A by another name (tests/test_recordings.py).
FORMATS = {
    "wav": ("wav", "pcm_s16le"),
    "m4a": ("ipod", "aac"),
    "webm": ("webm", "libopus"),
    "mpga": ("mp2", "mp2"),
}


def encode(wav: bytes, container: str, codec: str) -> bytes:
    output = io.BytesIO()
    with av.open(io.BytesIO(wav)) as source, av.open(output, "w", format=container) as target:
        stream = target.add_stream(codec, rate=48_000 if codec == "libopus" else 24_000)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return output.getvalue()


@pytest.mark.parametrize("extension", FORMATS)
def test_speech_in_every_format_is_heard_and_answered_in_speech(service, say, hear, extension):
    told = ask(service.url, audio=encode(say(QUESTION, "wav"), *FORMATS[extension]))
    assert told.status == 200, told.message
    assert word_error_rate(QUESTION, told.transcript) <= 0.1
    if extension == "wav":  # What is said does not depend on it.
        assert word_error_rate(told.reply, hear(told.sound)) <= 0.2


def test_a_conversation_is_spoken_over_the_realtime_api(realtime_service, engine_log, hear):
    """Synthesised, encoded, transcribed back: the written reply is heard, and none other."""
    spoken = engine_log.read_text().count("POST /v1/audio/speech")
    told = ask(realtime_service.url, audio=RECORDING)
    assert told.status == 200, told.message
    assert engine_log.read_text().count("POST /v1/audio/speech") == spoken
    assert word_error_rate(told.reply, hear(told.sound)) <= 0.2
    assert "speech_reworded" not in realtime_service.log


def test_what_the_engine_cannot_hear_is_told(service):
    """The recogniser's inventions on silence do not reach the chat model."""
    told = ask(service.url, audio=wav(2))
    assert (told.status, told.code, told.reply) == (206, "no_speech", "")
    told = ask(service.url, audio=wav()[:12] + b"nonsense" * 100)  # It only begins like audio.
    assert (told.status, told.code, told.reply) == (400, "upstream_rejected", "")


def rebuilt(service, form, question, hear):
    """A stream of several segments, and how many errors are in its joined sound."""
    stream = listen(service, audio=question, audio_format=form)
    assert (stream.code, stream.form) == (None, form)
    assert len(stream.segments) > 1
    errors = word_error_rate(stream.text, hear(joined(stream.sounds, form)))
    assert errors <= 0.2
    return stream, errors


def test_a_stream_rebuilds_the_reply_in_text_and_sound(service, realtime_service, say, hear):
    """The joined sound says the reply, and begins early; less of it, or its reverse, does not."""
    rebuilt(realtime_service, "wav", say(STORY.format("three"), "wav"), hear)
    stream, errors = rebuilt(service, "mp3", say(STORY.format("five"), "wav"), hear)
    for wrong in (stream.sounds[1:], stream.sounds[::-1]):
        assert word_error_rate(stream.text, hear(joined(wrong, "mp3"))) > errors
    first = stream.names.index("audio")
    assert "text" in stream.names[first:]
    assert stream.times[first] - stream.times[0] < (stream.times[-1] - stream.times[0]) / 2


def test_sound_alone_says_the_reply(service, hear):
    told = ask(service.url, "audio/wav", audio=RECORDING)
    assert (told.status, told.sound[:4], "Paris" in told.reply) == (200, b"RIFF", True)
    assert word_error_rate(told.reply, hear(joined([told.sound], "wav"))) <= 0.2
