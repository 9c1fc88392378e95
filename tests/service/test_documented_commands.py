"""The commands of the documents do what they say, as they stand there."""

import json
import os
import re
import stat
import subprocess

import pytest
from testing import coded_speech
from testing import fake_openai as fake
from testing.builders import KEY, ROOT
from testing.fake_streams import streams_chat, streams_speech
from testing.gunicorn_process import serving

SECONDS = 60
LLM_KEY = "llm-Jw3nB8sVt1"


def commands(document: str) -> list[str]:
    """The blocks of a document that call the service."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / document).read_text(), re.DOTALL | re.M)
    return [block for block in blocks if "curl" in block and "/api/conversation/" in block]


@pytest.fixture(scope="module")
def upstream():
    with fake.running() as running:
        running.answers = {"text": streams_chat(), "tts": streams_speech()}
        yield running


@pytest.fixture
def key_required():
    return "yes"


@pytest.fixture
def run(upstream, tmp_path, key_required):
    """Runs a block of commands in a folder with the example, beside a player that keeps sound."""
    (tmp_path / "bin").mkdir()
    player = tmp_path / "bin" / "mpv"
    player.write_text('#!/bin/sh\n[ "$1" = - ] && exec cat > played\n')
    player.chmod(player.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_ALLOWED_BASE_URLS": "*"}
    variables["PARLEY_KEY_REQUIRED"] = key_required
    with serving(tmp_path / "log", variables) as service:

        def run_block(block: str) -> str:
            script = block.replace("http://localhost:8000", service.url)
            return subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                check=True,
                cwd=tmp_path,
                env={"PATH": path, "OPENAI_API_KEY": KEY, "LLM_API_KEY": LLM_KEY, "no_proxy": "*"},
                capture_output=True,
                text=True,
                timeout=SECONDS,
            ).stdout

        yield run_block


def test_the_api_documents_commands_work(run, upstream, tmp_path):
    """One answer in JSON, a second turn, a stream, and sound for a player."""
    plain, turn, _, stream, sound = commands("API_DOCS.md")
    assert json.loads(run(plain))["text_response"] == fake.REPLY
    upstream.requests.clear()
    assert json.loads(run(turn))["success"]
    messages = json.loads([sent for sent in upstream.requests if sent.stage == "text"][1].body)
    assert messages["messages"][1:] == [
        {"role": "user", "content": fake.TRANSCRIPT},
        {"role": "assistant", "content": fake.REPLY},
        {"role": "user", "content": fake.TRANSCRIPT},
    ]
    assert re.findall(r"^event: (\w+)$", run(stream), re.M)[-1] == "done"
    run(sound)
    assert coded_speech.decode((tmp_path / "played").read_bytes(), "mp3") == fake.REPLY


def test_sound_that_breaks_off_is_an_error_to_curl(run, upstream):
    """Its exit status is the one that API_DOCS.md names."""
    *_, sound = commands("API_DOCS.md")
    [status] = re.findall(r"\(curl's is (\d+)\)", (ROOT / "API_DOCS.md").read_text())
    whole, upstream.answers["tts"] = upstream.answers["tts"], streams_speech(lambda text: "cut")
    try:
        with pytest.raises(subprocess.CalledProcessError) as failure:
            run(sound)
    finally:
        upstream.answers["tts"] = whole
    assert str(failure.value.returncode) == status


def test_the_api_documents_command_with_three_hosts_works(run, upstream):
    """OpenAI hears, a second host replies with its own key, and a third speaks without one."""
    _, _, mixed, *_ = commands("API_DOCS.md")
    upstream.requests.clear()
    with fake.running() as llm, fake.running() as voice:
        hosts = {"https://llm.example/v1": llm.url, "https://voice.example/v1": voice.url}
        for written, url in hosts.items():
            mixed = mixed.replace(written, url)
        answer = json.loads(run(mixed))
    assert (answer["errors"], answer["models_used"]["tts"]) == ([], "kokoro")
    sent = [
        [(request.stage, request.headers.get("authorization")) for request in host.requests]
        for host in (upstream, llm, voice)
    ]
    assert sent == [[("stt", f"Bearer {KEY}")], [("text", f"Bearer {LLM_KEY}")], [("tts", None)]]


@pytest.mark.parametrize("key_required", ["no"])
def test_the_readmes_commands_for_streams_and_sound_work(run, tmp_path):
    """They are one line each, for `make run`, which asks for no key."""
    [block] = [block for block in commands("README.md") if "Accept" in block]
    stream, sound = block.strip().splitlines()
    assert re.findall(r"^event: (\w+)$", run(stream), re.M)[-1] == "done"
    run(sound)
    assert coded_speech.decode((tmp_path / "played").read_bytes(), "mp3") == fake.REPLY
