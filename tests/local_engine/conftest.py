"""The engine as `make run` starts it, the service in front of it, and the official client."""

import subprocess
import sys
from functools import cache

import openai
import pytest
from testing.builders import ROOT
from testing.fake_openai import soon
from testing.gunicorn_process import environment, serving_models
from testing.processes import started, unmeasured

COMMAND = [sys.executable, "-m", "local_engine"]
SRC = {"PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(scope="session")
def run_command():
    """Run `python -m local_engine`, or another command, with some arguments, to its end."""

    def run(*arguments, command=COMMAND, **variables):
        return subprocess.run(
            [*command, *arguments],
            env=unmeasured(environment(**SRC, **variables)),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture(scope="session")
def engine_log(tmp_path_factory):
    return tmp_path_factory.mktemp("local_engine") / "log"


@pytest.fixture(scope="session")
def base_url(engine_log):
    ready = r"(?m)^ready on (\S+)\ntry me$"
    command = [*COMMAND, "--port", "0", "--hint", "try me"]
    with started(command, engine_log, ready, **SRC) as (url, process):
        yield url
    assert process.returncode == 0, engine_log.read_text()


def in_front(interface):
    """The service in front of the engine, with its model list as in `make run`, but for speech."""

    @pytest.fixture(scope="session")
    def service(base_url, run_command, tmp_path_factory):
        models = run_command("--model-list").stdout.replace("| speech |", f"| {interface} |")
        folder = tmp_path_factory.mktemp(interface)
        with serving_models(folder, models, PARLEY_OPENAI_BASE_URL=base_url) as running:
            yield running

    return service


service, realtime_service = in_front("speech"), in_front("realtime")


@pytest.fixture(scope="session")
def client(base_url):
    """OpenAI's own SDK, pointed at the engine; it shows the first error that it meets."""
    key = "sk-not-for-logs"
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=240) as sdk:
        yield sdk


@pytest.fixture(scope="session")
def models(client):
    """The engine's models by stage, in the order in which it lists them."""
    return dict(zip(("stt", "text", "tts"), (m.id for m in client.models.list()), strict=True))


@pytest.fixture(scope="session")
def say(client, models):
    """Speech for a text; the engine is its own speaker, as nobody else is here."""

    @cache  # The voice says the same text in the same way.
    def speech(text: str, form: str = "mp3", **options: float) -> bytes:
        return client.audio.speech.create(
            model=models["tts"], voice="alloy", input=text, response_format=form, **options
        ).content

    return speech


@pytest.fixture(scope="session")
def hear(client, models):
    @cache
    def transcript(audio: bytes) -> str:
        return client.audio.transcriptions.create(model=models["stt"], file=("a", audio)).text

    return transcript


@pytest.fixture(scope="session")
def ask(client, models):
    """The reply to a question, which is to be short; earlier turns may come before it."""

    def reply(question, *turns, told="Answer in one short plain sentence.", role="system", **how):
        messages = [{"role": role, "content": told}, *turns, {"role": "user", "content": question}]
        return client.chat.completions.create(model=models["text"], messages=messages, **how)

    return reply


@pytest.fixture
def ends(engine_log):
    """Whether the engine soon ends so many more of these requests than before the test."""
    before = engine_log.read_text()

    def end(request: str, times: int) -> bool:
        all_of_them = before.count(request) + times
        return soon(lambda: engine_log.read_text().count(request) >= all_of_them, 180)

    return end
