"""What the engine refuses: at its start in one sentence, and requests as the upstream does."""

import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import openai
import pytest
import requests
from testing.gunicorn_process import environment

from local_engine.__main__ import main
from local_engine.app import create_app

HEADER = "| model | default | interface | voices | language |"
RULE = "|---|---|---|---|---|"
HELLO = [{"role": "user", "content": "Hello."}]
CHAT, SPEECH, TRANSCRIPTION = "/chat/completions", "/audio/speech", "/audio/transcriptions"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_only_this_machine_may_call_unless_told_otherwise(monkeypatch, capsys, host):
    """An address that others could reach is refused; in this process, which takes less time."""
    monkeypatch.setattr(sys, "argv", ["local_engine", "--host", host])
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # These handlers are the tests'.
    with pytest.raises(SystemExit, match=r"^.*--allow-any-address.*$"):
        main()
    assert capsys.readouterr().out == ""


def test_a_port_that_cannot_be_had_is_told_at_once(run_command):
    """No model is loaded for a port that is taken, or that cannot be."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for chosen, reason in ((port, "Address already in use"), ("70000", "port 70000")):
            done = run_command("--port", chosen)
            assert (done.returncode, done.stdout) == (1, "")
            assert reason in done.stderr
            assert done.stderr.count("\n") == 1


LOADED_AT_A_LINE = """\
import sys
from types import SimpleNamespace
from local_engine import __main__ as engine
model = SimpleNamespace(name="a", load=lambda threads: sys.stdin.readline())
engine.Transcriber = engine.Replier = engine.Speaker = lambda *_: model
engine.main()
"""


def test_of_two_engines_on_one_port_the_later_says_so():
    """Both can have it until one listens, which is when its models are loaded."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = str(other.getsockname()[1])
        later = subprocess.Popen(
            [sys.executable, "-c", LOADED_AT_A_LINE, "--port", port],
            env=environment(PYTHONPATH="src"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        later.stdin.write("\n")
        later.stdin.flush()
        assert later.stdout.readline().startswith("a is loaded")
        other.listen()
        _, said = later.communicate("\n\n", timeout=60)
    assert later.returncode == 1
    assert said.startswith(f"Cannot serve on 127.0.0.1, port {port}: ")
    assert said.count("\n") == 1


def test_an_environment_without_the_engines_packages_is_told_what_to_do(run_command):
    """The service's own packages are fewer; a newcomer may have installed these alone."""
    script = "import runpy, sys; sys.modules['flask_sock'] = None; runpy.run_module('local_engine')"
    done = run_command("-c", script, command=[sys.executable])
    told = "flask_sock is not installed here; 'make run' installs what the engine needs.\n"
    assert (done.returncode, done.stderr) == (1, told)


@pytest.mark.parametrize("variable", ["LOCAL_ENGINE_WHISPER", "LOCAL_ENGINE_GGUF"])
def test_a_model_that_cannot_be_loaded_is_named(run_command, tmp_path, variable):
    wrong = tmp_path / "whisper-or-not.gguf"
    wrong.mkdir()
    done = run_command("--port", "0", **{variable: str(wrong)})
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot load whisper-or-not")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("whisper", "row"),
    [
        ("", "| whisper-tiny.en | yes | transcriptions |  |  |"),
        ("small", "| whisper-small | yes | transcriptions |  | language |"),
    ],
)
def test_the_model_list_is_markdown_with_one_default_a_stage(monkeypatch, capsys, whisper, row):
    """The service's models are then these; one voice or one language is no choice."""
    monkeypatch.setenv("LOCAL_ENGINE_GGUF", "/models/Big-Model.Q8_0.gguf")
    monkeypatch.setenv("LOCAL_ENGINE_WHISPER", whisper)
    monkeypatch.setattr(sys, "argv", ["local_engine", "--model-list"])
    main()
    assert [line for line in capsys.readouterr().out.splitlines() if line] == [
        *("## stt", HEADER, RULE, row),
        *("## text", HEADER, RULE, "| big-model.q8_0 | yes | chat |  |  |"),
        *("## tts", HEADER, RULE, "| hibari-heart | yes | speech | alloy |  |"),
    ]


@pytest.mark.parametrize(
    ("path", "stage", "sent", "status", "param"),
    [
        (CHAT, None, {"data": "not JSON"}, 400, None),
        (CHAT, None, {"json": ["a", "list"]}, 400, None),
        (CHAT, None, {"json": {"messages": HELLO}}, 400, "model"),
        (CHAT, None, {"json": {"model": 5, "messages": HELLO}}, 400, "model"),
        (CHAT, "text", {"json": {}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": []}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": ["Hello."]}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": [{"content": "Hello."}]}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": [{"role": "user"}]}}, 400, "messages"),
        (CHAT, "text", {"json": {"messages": HELLO, "temperature": "hot"}}, 400, "temperature"),
        (CHAT, "text", {"json": {"messages": HELLO, "max_tokens": 0}}, 400, "max_tokens"),
        (CHAT, "text", {"json": {"messages": HELLO, "stop": [5]}}, 400, "stop"),
        (CHAT, "tts", {"json": {"messages": HELLO}}, 404, "model"),
        (SPEECH, "tts", {"json": {"voice": "alloy"}}, 400, "input"),
        (SPEECH, "tts", {"json": {"voice": "alloy", "input": ""}}, 400, "input"),
        (SPEECH, "tts", {"json": {"voice": "alloy", "input": "🙂"}}, 400, "input"),
        (SPEECH, "tts", {"json": {"voice": "alloy", "input": "a" * 4097}}, 400, "input"),
        (SPEECH, "tts", {"json": {"input": "Hello."}}, 400, "voice"),
        (SPEECH, "tts", {"json": {"voice": "bob", "input": "Hello."}}, 400, "voice"),
        (SPEECH, "tts", {"json": {"voice": "ash", "input": "Hi", "speed": 9}}, 400, "speed"),
        (SPEECH, "stt", {"json": {"voice": "ash", "input": "Hi"}}, 404, "model"),
        (TRANSCRIPTION, "stt", {"data": {}}, 400, "file"),
        (TRANSCRIPTION, "stt", {"data": {"file": "not a file"}}, 400, "file"),
        (TRANSCRIPTION, "stt", {"files": {"file": ("a.mp3", b"")}}, 400, "file"),
        (TRANSCRIPTION, "stt", {"files": {"file": ("a.mp3", b"no audio" * 99)}}, 400, "file"),
        (TRANSCRIPTION, "text", {"files": {"file": ("a.mp3", b"")}}, 404, "model"),
        (TRANSCRIPTION, "stt", {"files": {"file": ("a", bytes(27_000_000))}}, 413, None),
        ("/nowhere", None, {}, 404, None),
        ("/models", None, {}, 405, None),
    ],
)
def test_what_cannot_be_used_is_refused(base_url, models, path, stage, sent, status, param):
    """In OpenAI's envelope, with the field's name and an id; but no key is asked for."""
    place = "json" if "json" in sent else "data"
    if stage:
        sent = sent | {place: {"model": models[stage], **sent.get(place, {})}}
    answer = requests.post(base_url + path, timeout=30, **sent)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param)
    assert error["type"] == "invalid_request_error"
    assert error["code"] == ("model_not_found" if (status, param) == (404, "model") else None)
    assert error["message"]
    assert answer.headers["x-request-id"]
    assert ("GET" in answer.headers.get("Allow", "")) is (status == 405)


@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_raises_its_own_classes(client, models, ask, stream):
    """A program that handles the upstream's errors handles these."""
    assert [client.models.retrieve(name).id for name in models.values()] == [*models.values()]
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=stream)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        ask("again " * 5000, stream=stream)
    assert refused.value.code == "context_length_exceeded"


def test_a_fault_of_ours_shows_nothing_of_itself():

    def speak(*_):
        raise RuntimeError("a secret")

    engines = [SimpleNamespace(name=name, rate=24_000, speak=speak) for name in ("a", "b", "c")]
    caller = create_app(*engines, log=print).test_client()
    asked = {"model": "c", "voice": "alloy", "input": "Hello."}
    answer = caller.post("/v1/audio/speech", json=asked)
    assert (answer.status_code, answer.json["error"]["type"]) == (500, "server_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
