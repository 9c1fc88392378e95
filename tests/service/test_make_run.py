"""`make run` is the one command: it says what to try, answers it, and stops whole on Ctrl-C."""

import shlex
import socket
import subprocess
from pathlib import Path

import pytest
from testing.builders import ROOT
from testing.gunicorn_process import free_port, make_run, stack


def test_the_suggested_command_is_answered_and_ctrl_c_stops_everything(tmp_path: Path):
    """What the terminal says to try works as it stands; after Ctrl-C both ports are free again."""
    log = tmp_path / "log"
    ports = free_port(), free_port()
    with stack(log, *ports):
        command = log.read_text().partition("Try this: ")[2].splitlines()[0]
        answer = subprocess.run(
            [*shlex.split(command), "--silent", "--show-error"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert '"transcript":"What is the capital of France?"' in answer.stdout
    assert "Traceback" not in log.read_text()
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("taken", [0, 1])
def test_a_taken_port_is_named(tmp_path: Path, taken: int):
    """The one line that matters, at once, with what to type instead."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports = [free_port(), free_port()]
        ports[taken] = listener.getsockname()[1]
        run = make_run(tmp_path / "log", *ports)
        assert run.wait(30) != 0
    assert (
        f"Port {ports[taken]} is taken. Take others: make run PORT="
        in (tmp_path / "log").read_text()
    )
