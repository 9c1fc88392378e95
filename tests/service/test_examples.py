"""The callers in examples/ do what their first lines say, against the service as it is served."""

import subprocess
import sys

import pytest
from testing import coded_speech
from testing.builders import KEY, ROOT
from testing.fake_openai import REPLY, TRANSCRIPT, http, running
from testing.fake_streams import streams_chat, streams_speech
from testing.gunicorn_process import environment, serving

QUESTION = ROOT / "examples" / "question.wav"
COMMANDS = {"python": [sys.executable, "examples/talk.py"], "shell": ["examples/talk.sh"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """An upstream that streams, and the service before it."""
    with running() as upstream:
        folder = tmp_path_factory.mktemp("examples")
        with serving(folder / "log", {"PARLEY_OPENAI_BASE_URL": upstream.url}) as service:
            yield upstream, service


@pytest.fixture
def ask(world, tmp_path):
    """Runs an example; returns its exit status, what a person reads, and the sound."""
    upstream, service = world
    upstream.answers = {"text": streams_chat(), "tts": streams_speech()}

    def run(name):
        speech = tmp_path / "reply"
        done = subprocess.run(
            [*COMMANDS[name], QUESTION, *([speech] if name == "shell" else [])],
            cwd=ROOT,
            env=environment(PARLEY_URL=service.url, OPENAI_API_KEY=KEY),
            capture_output=True,
            timeout=60,
            check=False,
        )
        if name == "shell":
            sound = speech.read_bytes() if speech.exists() else b""
            return done.returncode, (done.stdout + done.stderr).decode(), sound
        return done.returncode, done.stderr.decode(), done.stdout

    return run


@pytest.mark.parametrize(("name", "form"), [("python", "pcm"), ("shell", "mp3")])
def test_an_example_asks_and_is_answered(ask, name, form):
    """It shows both texts and gives the sound."""
    status, text, sound = ask(name)
    assert (status, text) == (0, f"> {TRANSCRIPT}\n{REPLY}\n")
    assert coded_speech.decode(sound, form) == REPLY


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("stage", ["stt", "tts"])
def test_an_example_tells_a_failure(ask, world, name, stage):
    """Whether it comes as JSON or amid a stream, its sentence is shown."""
    refused = http(b'{"error": {"message": "Not today."}}', "400 Bad Request")
    world[0].answers[stage] = lambda connection, _: connection.sendall(refused) or True
    status, text, sound = ask(name)
    assert status == 1
    assert "Not today." in text
    assert not sound
