"""The engine's command line: what it refuses, in one sentence, before any model is loaded."""

import os
import socket
import subprocess
import sys

import pytest
from testing.builders import ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
HEADER = "| model | default | interface | voices | language |"
RULE = "|---|---|---|---|---|"
VOICES = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_only_this_machine_may_call_unless_told_otherwise(run_command, host):
    """An address that others could reach is refused."""
    done = run_command("--host", host)
    assert done.returncode == 1
    assert "--allow-any-address" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_taken_port_is_told_at_once(run_command):
    """No model is loaded for a port that cannot be had."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run_command("--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_of_two_engines_on_one_port_the_later_says_so():
    """Both can have it until one listens, which is when its models are loaded."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = str(other.getsockname()[1])
        later = subprocess.Popen(
            [sys.executable, "-m", "local_engine", "--port", port],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        later.stdout.readline()  # One of its models is loaded.
        other.listen()
        _, said = later.communicate(timeout=60)
    assert later.returncode == 1
    assert said.startswith(f"Cannot serve on 127.0.0.1, port {port}: ")
    assert said.count("\n") == 1


def test_a_port_that_cannot_be_is_refused(run_command):
    """One sentence, and no traceback."""
    done = run_command("--port", "70000")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_an_environment_without_the_engines_packages_is_told_what_to_do():
    """The service's own packages are fewer; a newcomer may have installed these alone."""
    script = "import runpy, sys; sys.modules['flask_sock'] = None; runpy.run_module('local_engine')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "flask_sock is not installed here; 'make run' installs what the engine needs.\n"
    )


@pytest.mark.parametrize("variable", ["LOCAL_ENGINE_WHISPER", "LOCAL_ENGINE_GGUF"])
def test_a_model_that_cannot_be_loaded_is_named(run_command, tmp_path, variable):
    """A wrong path stops the start, and the message says which."""
    wrong = tmp_path / "whisper-or-not.gguf"
    wrong.mkdir()
    done = run_command("--port", "0", **{variable: str(wrong)})
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot load whisper-or-not")
    assert "Traceback" not in done.stderr


def test_the_model_list_is_markdown_with_one_default_a_stage(run_command):
    """`make run` hands it to the service, whose models are then these."""
    done = run_command("--model-list", LOCAL_ENGINE_GGUF="/models/Big-Model.Q8_0.gguf")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line] == [
        "## stt",
        HEADER,
        RULE,
        "| whisper-tiny.en | yes | transcriptions |  | language |",
        "## text",
        HEADER,
        RULE,
        "| big-model.q8_0 | yes | chat |  |  |",
        "## tts",
        HEADER,
        RULE,
        f"| hibari-heart | yes | speech | {VOICES} |  |",
    ]
