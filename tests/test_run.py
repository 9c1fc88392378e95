"""`make run` is the one command: it says what to try, answers it, and stops whole on Ctrl-C."""

import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from support import ROOT

READY_SECONDS = 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def make_run(log: Path, port: int, engine_port: int) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own, as a terminal does."""
    with log.open("wb") as output:
        return subprocess.Popen(
            ["make", "run", f"PORT={port}", f"ENGINE_PORT={engine_port}"],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def test_the_suggested_command_is_answered_and_ctrl_c_stops_everything(tmp_path: Path):
    """What the terminal says to try works as it stands; after Ctrl-C both ports are free again."""
    log = tmp_path / "log"
    ports = free_port(), free_port()
    run = make_run(log, *ports)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "Try this: " not in log.read_text():
            assert run.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
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
    finally:
        os.killpg(run.pid, signal.SIGINT)
        run.wait(15)
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
