"""How callers that others wrote are served: each sends a recording, and reads what comes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from interop.servers import program
from testing import aimock
from testing.builders import KEY, ROOT
from testing.fake_openai import TRANSCRIPT
from testing.gunicorn_process import serving_models
from testing.representations import JSON, SOUND, STREAM

pytestmark = pytest.mark.interop

CALLERS = Path(__file__).parent / "callers"
QUESTION = str(ROOT / "examples" / "question.wav")
NODE = ("fetch", "undici", "got", "axios", "axios with a buffer")
PARSERS = ("eventsource-parser", "fetch-event-source", "httpx-sse")
# newman, the last of them, runs docs/postman_collection.json in tests/service.
WHOLE = ("HTTPie", "aiohttp", "Java's HttpClient", *NODE)
NAMES = (*WHOLE, *PARSERS)


def command(name: str, url: str, accept: str, *files: str) -> list[str | Path]:
    """What runs a caller; skipped, and told, where it is not here."""
    if name == "HTTPie":
        fields = ["voice=nova", *(f"audio@{file}" for file in files)]
        sent = [f"Accept:{accept}", f"X-OpenAI-API-Key:{KEY}", *fields]
        quiet = ["--ignore-stdin", "--multipart", "--stream", "--body", "--pretty=none"]
        return [program("callers", "http"), *quiet, "POST", url, *sent]
    if name in ("aiohttp", "httpx-sse"):
        return [program("callers", "python"), CALLERS / "caller.py", name, url, accept, *files]
    if name == "Java's HttpClient":
        if not shutil.which("java"):
            pytest.skip("java is not installed (Debian's default-jdk-headless)")
        return ["java", CALLERS / "Caller.java", url, accept, *files]
    if not (CALLERS / "node_modules").exists():
        pytest.skip(f"{name} is not installed in {CALLERS.relative_to(ROOT)}")
    return ["node", CALLERS / "caller.mjs", name, url, accept, *files]


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("callers")
    with (
        aimock.running(folder) as base,
        serving_models(folder, aimock.model_list(), PARLEY_OPENAI_BASE_URL=base) as service,
    ):
        yield service.conversation_url


def called(name: str, url: str, accept: str, *files: str) -> bytes:
    """The body that a caller printed; the status too, where it tells it."""
    run = subprocess.run(
        command(name, url, accept, *files),
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KEY": KEY, "no_proxy": "*"},
        capture_output=True,
        check=False,
        timeout=90,
    )
    assert run.returncode == 0, run.stderr.decode()
    if name != "HTTPie":
        assert run.stderr.split()[0] == (b"200" if files else b"400"), run.stderr
    return run.stdout


@pytest.mark.parametrize(
    ("name", "accept"), [*product(WHOLE, (JSON, STREAM, SOUND)), *product(PARSERS, (STREAM,))]
)
def test_a_conversation(url, name, accept):
    """Whole, in each representation that it reads."""
    body = called(name, url, accept, QUESTION)
    if accept == SOUND:
        assert body.startswith(b"ID3\x04")
        return
    if accept == STREAM:
        frames = [frame.split("\n") for frame in body.decode().strip().split("\n\n")]
        assert [frames[0][0], frames[-1][0]] == ["event: transcript", "event: done"]
        body = frames[-1][1].removeprefix("data: ").encode()
    answer = json.loads(body)
    assert (answer["success"], answer["transcript"]) == (True, TRANSCRIPT)
    assert answer["text_response"] == aimock.REPLY


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_before_the_stream(url, name):
    """JSON with its status, whatever was asked for.

    Python's clients send a form without a file urlencoded, which is none that is taken.
    """
    answer = json.loads(called(name, url, STREAM if name in PARSERS else JSON))
    is_python = name in ("aiohttp", "httpx-sse")
    code = "request_malformed" if is_python else "audio_missing"
    assert answer["errors"][0]["code"] == code
