"""What callers have at hand does what it says: documents' commands, examples, OpenAPI, Postman."""

import json
import os
import re
import subprocess
import sys

import pytest
from testing import coded_speech
from testing import fake_openai as fake
from testing.builders import KEY, ROOT, ran
from testing.documented_setups import place
from testing.fake_streams import streams_chat, streams_speech

LLM_KEY = "llm-Jw3nB8sVt1"
NEWMAN = ROOT / "tests" / "service" / "newman" / "node_modules" / ".bin" / "newman"
EXAMPLES = {
    "python": (f"{sys.executable} examples/talk.py examples/question.wav > played", "pcm"),
    "shell": ("examples/talk.sh examples/question.wav played", "mp3"),
}


def commands(document: str) -> list[str]:
    """The blocks of a document that call the service."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / document).read_text(), re.DOTALL | re.M)
    return [block for block in blocks if "curl" in block and "/api/conversation/" in block]


@pytest.fixture(scope="module")
def service(serve_all):
    return serve_all(PARLEY_ALLOWED_BASE_URLS="*", PARLEY_KEY_REQUIRED="no")


@pytest.fixture
def upstream(served_upstream):
    """An upstream that streams, and has been asked for nothing yet."""
    served_upstream.answers = {"text": streams_chat(), "tts": streams_speech()}
    served_upstream.requests.clear()
    return served_upstream


@pytest.fixture
def run(service, upstream, tmp_path):
    """Runs a block of commands in a folder with the examples, beside a player that keeps sound."""
    player = tmp_path / "mpv"
    player.write_text('#!/bin/sh\n[ "$1" = - ] && exec cat > played\n')
    player.chmod(0o700)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    keys = {"OPENAI_API_KEY": KEY, "LLM_API_KEY": LLM_KEY, "PARLEY_URL": service.url}

    def run_block(block: str) -> subprocess.CompletedProcess[str]:
        script = block.replace("http://localhost:8000", service.url)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "no_proxy": "*", **keys},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run_block


@pytest.fixture
def played(tmp_path):
    """What was said, by the sound that the player got."""
    return lambda form="mp3": coded_speech.decode((tmp_path / "played").read_bytes(), form)


def test_the_api_documents_commands_work(run, upstream, played):
    """One answer in JSON, a second turn, a stream, and sound for a player."""
    plain, turn, _, stream, sound = commands("API_DOCS.md")
    assert json.loads(run(plain).stdout)["text_response"] == fake.REPLY
    upstream.requests.clear()
    assert json.loads(run(turn).stdout)["success"]
    messages = json.loads([sent for sent in upstream.requests if sent.stage == "text"][1].body)
    assert messages["messages"][1:] == [
        {"role": "user", "content": fake.TRANSCRIPT},
        {"role": "assistant", "content": fake.REPLY},
        {"role": "user", "content": fake.TRANSCRIPT},
    ]
    assert re.findall(r"^event: (\w+)$", run(stream).stdout, re.M)[-1] == "done"
    run(sound)
    assert played() == fake.REPLY


def test_sound_that_breaks_off_is_an_error_to_curl(run, upstream):
    """Its exit status is the one that API_DOCS.md names."""
    *_, sound = commands("API_DOCS.md")
    [status] = re.findall(r"\(curl's is (\d+)\)", (ROOT / "API_DOCS.md").read_text())
    upstream.answers["tts"] = streams_speech(lambda text: "cut")
    assert str(run(sound).returncode) == status


def test_the_api_documents_command_with_three_hosts_works(run, upstream):
    """OpenAI hears, a second host replies with its own key, and a third speaks without one."""
    _, _, mixed, *_ = commands("API_DOCS.md")
    with fake.running() as llm, fake.running() as voice:
        mixed = mixed.replace("https://llm.example/v1", llm.url)
        answer = json.loads(run(mixed.replace("https://voice.example/v1", voice.url)).stdout)
    assert (answer["errors"], answer["models_used"]["tts"]) == ([], "kokoro")
    sent = [
        [(request.stage, request.headers.get("authorization")) for request in host.requests]
        for host in (upstream, llm, voice)
    ]
    assert sent == [[("stt", f"Bearer {KEY}")], [("text", f"Bearer {LLM_KEY}")], [("tts", None)]]


def test_the_readmes_commands_for_streams_and_sound_work(run, played):
    """They are one line each, for `make run`, which asks for no key."""
    [block] = [block for block in commands("README.md") if "Accept" in block]
    stream, sound = block.strip().splitlines()
    assert re.findall(r"^event: (\w+)$", run(stream).stdout, re.M)[-1] == "done"
    run(sound)
    assert played() == fake.REPLY


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_asks_and_is_answered(run, upstream, played, name):
    command, form = EXAMPLES[name]
    done = run(command)
    assert (done.returncode, done.stdout + done.stderr) == (
        0,
        f"> {fake.TRANSCRIPT}\n{fake.REPLY}\n",
    )
    assert played(form) == fake.REPLY
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("stage", ["stt", "tts"])
def test_an_example_tells_a_failure(run, upstream, tmp_path, name, stage):
    """Whether it comes as JSON or amid a stream, its sentence is shown."""
    refused = fake.http(b'{"error": {"message": "Not today."}}', "400 Bad Request")
    upstream.answers[stage] = lambda connection, _: connection.sendall(refused) or True
    done = run(EXAMPLES[name][0])
    assert done.returncode == 1
    assert "Not today." in done.stdout + done.stderr
    sound = tmp_path / "played"
    assert not sound.exists() or not sound.read_bytes()


@pytest.mark.system
@pytest.mark.timeout(1100)
def test_no_input_brings_an_answer_that_is_not_documented(tmp_path):
    """2,000 cases and more: no other status, header or shape, no internal error, no key logged."""
    command = f"ip link set lo up && exec {sys.executable} -m testing.schemathesis_run {tmp_path}"
    inside = ["/usr/bin/unshare", "-n", "sh", "-c", command]
    ran(*inside, tree=ROOT / "tests", seconds=1000, PYTHONPATH=f"{ROOT}:{ROOT / 'src'}")
    # The callers' ids may be any word that the tests or the service have: those are tried, too.
    log = re.sub(" request_id=[^ ]*", "", (tmp_path / "log").read_text())
    statuses = re.findall(r" status=(\d+) ", log)
    assert len(statuses) >= 2000
    assert {"200", "400", "401", "405"} <= set(statuses)
    assert "internal_error" not in log
    assert KEY not in log


@pytest.mark.system
def test_postmans_requests_work_against_make_run(tmp_path):
    here = place(tmp_path)
    collection = ROOT / "docs" / "postman_collection.json"
    variable = f"base_url=http://127.0.0.1:{here.ports['8000']}"
    with here.terminal("make run") as service:
        service.wait_for("Try this: ")
        ran(NEWMAN, "run", collection, "--env-var", variable, seconds=120)
