"""Real speech in, real speech out: gunicorn, the service, and three real models."""

import email.utils
import io
from pathlib import Path

import av
import pytest
import requests
from testing.builders import FROZEN_LIST, ROOT, wav
from testing.gunicorn_process import serving
from testing.representations import ask
from testing.word_errors import word_error_rate

QUESTION = "What is the capital of France?"
RECORDING = (ROOT / "examples" / "question.wav").read_bytes()
# How callers' files come: the name, and PyAV's container and codec for it. MP3 is what the engine
# hears of itself, and MP4 is M4A by another name (tests/test_recordings.py).
FORMATS = {
    "wav": ("wav", "pcm_s16le"),
    "m4a": ("ipod", "aac"),
    "webm": ("webm", "libopus"),
    "mpga": ("mp2", "mp2"),
}


def encode(wav: bytes, container: str, codec: str) -> bytes:
    """A WAV file in another format."""
    output = io.BytesIO()
    with av.open(io.BytesIO(wav)) as source, av.open(output, "w", format=container) as target:
        stream = target.add_stream(codec, rate=48_000 if codec == "libopus" else 24_000)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return output.getvalue()


@pytest.mark.parametrize("extension", FORMATS)
def test_speech_in_every_format_is_heard_and_answered_in_speech(service, say, hear, extension):
    """What was said comes back as text, and the spoken reply is the written one."""
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


@pytest.mark.system
@pytest.mark.parametrize(
    ("day", "names"),
    [
        ("2026-12-01", ("whisper-1", "gpt-4o", "tts-1")),
        ("2027-01-07", ("whisper-1", "gpt-4o", "gpt-realtime-2.1-mini")),
        ("2027-01-15", ("whisper-1", "gpt-6-luna", "gpt-realtime-2.1-mini")),
        ("2027-03-01", ("gpt-transcribe", "gpt-6-luna", "gpt-realtime-2.1-mini")),
    ],
)
def test_the_service_as_it_is_answers_on_each_day(rename_engine, hear, tmp_path, day, names):
    """Nothing but the machine's clock is moved; the upstream knows only the living models."""
    # libfaketime 0.9.10 turns the absolute monotonic time, to which Python sleeps, into nonsense.
    sleep = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
    (tmp_path / "sitecustomize.py").write_text(sleep)
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    variables = {
        "PARLEY_OPENAI_BASE_URL": rename_engine(*names),
        "PARLEY_MODEL_LIST": str(FROZEN_LIST),
        "LD_PRELOAD": str(library),
        "FAKETIME": f"@{day} 12:00:00",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
        "PYTHONPATH": str(tmp_path),
    }
    with serving(tmp_path / "log", variables) as service:
        told = ask(service.url, audio=RECORDING)
        now = requests.get(f"{service.url}/healthz", timeout=10).headers["Date"]
    assert (told.status, told.message) == (200, "")
    assert tuple(told.models.values()) == names
    assert email.utils.parsedate_to_datetime(now).date().isoformat() == day
    assert word_error_rate(QUESTION, told.transcript) == 0
    with av.open(io.BytesIO(told.sound)) as container:
        assert container.format.name == "mp3"
    assert word_error_rate(told.reply, hear(told.sound)) <= 0.2
    assert "model_replaced" not in service.log
    assert "speech_reworded" not in service.log


@pytest.mark.parametrize(
    ("recording", "status", "code"),
    [
        pytest.param(wav(2), 206, "no_speech", id="silence"),
        # It only begins like audio.
        pytest.param(wav()[:12] + b"nonsense" * 100, 400, "upstream_rejected", id="nonsense"),
    ],
)
def test_what_the_engine_cannot_hear_is_told(service, recording, status, code):
    """The recogniser's inventions on silence do not reach the chat model."""
    told = ask(service.url, audio=recording)
    assert (told.status, told.code, told.reply) == (status, code, "")
