"""What `make run` refuses, in one line, before it starts or installs anything."""

import socket
import subprocess
from pathlib import Path

import pytest
from testing.builders import copy_tree
from testing.gunicorn_process import free_port, make_run

NEEDED = "is not Python 3.11 or newer. Add one that is to the command: PYTHON="


@pytest.mark.parametrize("taken", [0, 1])
def test_a_taken_port_is_named(tmp_path: Path, taken: int):
    """The one line that matters, at once, with what to type instead."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports = [free_port(), free_port()]
        ports[taken] = listener.getsockname()[1]
        run = make_run(tmp_path / "log", *ports)
        assert run.wait(30) != 0
    assert (
        f"Port {ports[taken]} is taken or not allowed. Take others: make run PORT="
        in (tmp_path / "log").read_text()
    )


def test_one_port_for_both_is_refused(tmp_path: Path):
    """Before anything is started, and not after the engine has loaded its models."""
    port = free_port()
    assert make_run(tmp_path / "log", port, port).wait(30) != 0
    said = (tmp_path / "log").read_text()
    assert "PORT and ENGINE_PORT must be two ports." in said
    assert "|" not in said  # With it, each line of a started process begins.


@pytest.mark.parametrize("python", ["/bin/false", "/no/such/python"])
def test_a_python_that_is_too_old_is_told_before_anything_is_installed(tmp_path: Path, python: str):
    """Else pip would name some package that has no version for it; macOS brings Python 3.9."""
    tree = copy_tree(tmp_path)
    done = subprocess.run(
        ["make", "run", f"PYTHON={python}"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert f"{python} {NEEDED}" in done.stdout
    assert not (tree / ".venv").exists()
