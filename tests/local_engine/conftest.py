"""The engine as `make run` starts it, the service in front of it, and the official client."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import openai
import pytest
from testing.fake_openai import soon
from testing.gunicorn_process import Service, serving_models
from testing.processes import started, unmeasured

SRC = Path(__file__).parents[2] / "src"
COMMAND = [sys.executable, "-m", "local_engine"]
ENVIRONMENT = unmeasured(os.environ) | {"PYTHONPATH": str(SRC)}
START_LIMIT = 120  # seconds


@pytest.fixture(scope="session")
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m local_engine`, or another command, with some arguments, to its end."""

    def run(
        *arguments: str, command: list[str] = COMMAND, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments],
            env=ENVIRONMENT | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_LIMIT,
        )

    return run


@pytest.fixture(scope="session")
def engine_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the engine says."""
    return tmp_path_factory.mktemp("local_engine") / "log"


@pytest.fixture(scope="session")
def base_url(engine_log: Path) -> Iterator[str]:
    """Where the one engine of the test run answers."""
    with engine(engine_log, *COMMAND) as url:
        yield url


@pytest.fixture(scope="session")
def model_list(run_command: Callable) -> str:
    """The engine's own model list, as `make run` hands it to the service."""
    return run_command("--model-list").stdout


@pytest.fixture(scope="session")
def service(base_url: str, model_list: str, tmp_path_factory) -> Iterator[Service]:
    """The service in front of the engine, as in `make run`."""
    folder = tmp_path_factory.mktemp("service")
    with serving_models(folder, model_list, PARLEY_OPENAI_BASE_URL=base_url) as running:
        yield running


@pytest.fixture(scope="session")
def realtime_service(base_url: str, model_list: str, tmp_path_factory) -> Iterator[Service]:
    """The same, whose speech is asked for over the engine's Realtime API."""
    assert "| speech |" in model_list
    models = model_list.replace("| speech |", "| realtime |")
    folder = tmp_path_factory.mktemp("realtime")
    with serving_models(folder, models, PARLEY_OPENAI_BASE_URL=base_url) as running:
        yield running


@pytest.fixture(scope="module")
def rename_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Gives another engine's three models other names; where it answers to them."""
    folder: Path = tmp_path_factory.mktemp("renamed")
    (folder / "names").write_text("stt text tts")
    script = str(Path(__file__).with_name("renamed.py"))

    def rename(*names: str) -> str:
        (folder / "names").write_text(" ".join(names))
        return url

    with engine(folder / "log", sys.executable, script, str(folder / "names")) as url:
        yield rename


@contextmanager
def engine(engine_log: Path, *command: str) -> Iterator[str]:
    """Run an engine, and end it; gives where it answers."""
    ready = r"(?m)^ready on (\S+)\ntry me$"
    started_so = [*command, "--port", "0", "--hint", "try me"]
    with started(started_so, engine_log, ready, PYTHONPATH=str(SRC)) as (url, process):
        yield url
    assert process.returncode == 0, engine_log.read_text()


@pytest.fixture(scope="session")
def client(base_url: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own SDK, pointed at the engine; it shows the first error that it meets."""
    with openai.OpenAI(
        base_url=base_url, api_key="sk-not-for-logs", max_retries=0, timeout=240
    ) as sdk:
        yield sdk


@pytest.fixture(scope="session")
def models(client: openai.OpenAI) -> dict[str, str]:
    """The engine's models by stage, in the order in which it lists them."""
    return dict(zip(("stt", "text", "tts"), (m.id for m in client.models.list()), strict=True))


@pytest.fixture(scope="session")
def say(client: openai.OpenAI, models: dict[str, str]) -> Callable[..., bytes]:
    """Speech for a text; the engine is its own speaker, as nobody else is here."""

    @cache  # The voice says the same text in the same way.
    def speech(text: str, form: str = "mp3", **options: float) -> bytes:
        return client.audio.speech.create(
            model=models["tts"], voice="alloy", input=text, response_format=form, **options
        ).content

    return speech


@pytest.fixture(scope="session")
def hear(client: openai.OpenAI, models: dict[str, str]) -> Callable[[bytes], str]:
    """The transcript of an audio file."""

    @cache
    def transcript(audio: bytes) -> str:
        return client.audio.transcriptions.create(model=models["stt"], file=("a", audio)).text

    return transcript


@pytest.fixture(scope="session")
def ask(client: openai.OpenAI, models: dict[str, str]) -> Callable[..., Any]:
    """The reply to a question, which is to be short."""

    def reply(question: str, **options: Any) -> Any:
        messages = [
            {"role": "system", "content": "Answer in one short plain sentence."},
            {"role": "user", "content": question},
        ]
        return client.chat.completions.create(model=models["text"], messages=messages, **options)

    return reply


@pytest.fixture
def ends(engine_log: Path) -> Callable[[str, int], bool]:
    """Whether the engine soon ends so many more of these requests than before the test."""
    before = engine_log.read_text()

    def end(request: str, times: int) -> bool:
        all_of_them = before.count(request) + times
        return soon(lambda: engine_log.read_text().count(request) >= all_of_them, 60)

    return end
