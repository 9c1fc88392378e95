"""The engine's command line: what it refuses, in one sentence, before any model is loaded."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from testing.builders import ROOT

from local_engine.__main__ import main

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
HEADER = "| model | default | interface | voices | language |"
RULE = "|---|---|---|---|---|"


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
            assert done.returncode == 1
            assert reason in done.stderr
            assert done.stderr.count("\n") == 1
            assert done.stdout == ""


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
            env=ENVIRONMENT,
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
    """A wrong path stops the start, and the message says which."""
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
    """`make run` hands it to the service, whose models are then these.

    They offer no choice where there is none: one voice, and no language where all is English.
    """
    monkeypatch.setenv("LOCAL_ENGINE_GGUF", "/models/Big-Model.Q8_0.gguf")
    monkeypatch.setenv("LOCAL_ENGINE_WHISPER", whisper)
    monkeypatch.setattr(sys, "argv", ["local_engine", "--model-list"])
    main()
    rows = {"stt": row, "text": "| big-model.q8_0 | yes | chat |  |  |"}
    rows["tts"] = "| hibari-heart | yes | speech | alloy |  |"
    assert [line for line in capsys.readouterr().out.splitlines() if line] == [
        line for stage, row in rows.items() for line in (f"## {stage}", HEADER, RULE, row)
    ]
