"""What a start refuses, in one line, before it serves, starts or installs anything."""

import socket
import subprocess
import sys

import pytest
from testing.builders import ROOT, copy_tree, ran
from testing.gunicorn_process import environment, free_port, make_run

TLS = "Parley does not start: it speaks plain HTTP"
PEM = ROOT / "wsgi.py"  # Any file.


@pytest.mark.parametrize(
    ("options", "variables", "told"),
    [
        ([], {"PARLEY_CAPACITY": "many"}, "PARLEY_CAPACITY"),
        ([], {"PARLEY_MODEL_LIST": "NOWHERE.MD"}, "PARLEY_MODEL_LIST"),
        ([], {"REQUESTS_CA_BUNDLE": "nowhere.pem"}, "REQUESTS_CA_BUNDLE"),
        # Else callers would be let in, and wait for an answer that nobody gives.
        ([], {"WEB_CONCURRENCY": "0"}, "Parley does not start: WEB_CONCURRENCY is 0"),
        # Else it would answer in plain HTTP where its operator believes it is encrypted.
        ([f"--certfile={PEM}"], {}, TLS),
        ([f"--keyfile={PEM}"], {}, TLS),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_sentence(options, variables, told):
    """No loop of dying workers, no traceback: the variable's name and what to set."""
    command = [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", *options, "wsgi:app"]
    environ = environment(**variables)
    run = subprocess.run(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, check=False)
    assert run.returncode != 0
    [line] = [line for line in run.stderr.decode().splitlines() if "[INFO]" not in line]
    assert told in line


@pytest.mark.parametrize("taken", [0, 1, "one for both"])
def test_make_run_refuses_ports_that_it_cannot_have(tmp_path, taken):
    """At once, with what to type instead, and not after the engine has loaded its models."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports = [free_port(), free_port()]
        told = "PORT and ENGINE_PORT must be two ports."
        if taken == "one for both":
            ports = ports[:1] * 2
        else:
            ports[taken] = listener.getsockname()[1]
            told = f"Port {ports[taken]} is taken or not allowed. Take others: make run PORT="
        assert make_run(tmp_path / "log", *ports).wait(30) != 0
    said = (tmp_path / "log").read_text()
    assert told in said
    assert "|" not in said  # With it, each line of a started process begins.


@pytest.mark.parametrize("python", ["/bin/false", "/no/such/python"])
def test_make_run_refuses_a_python_that_is_too_old(tmp_path, python):
    """Else pip would name some package that has no version for it; macOS brings Python 3.9."""
    tree = copy_tree(tmp_path)
    command = ["make", "run", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0
    told = f"{python} is not Python 3.11 or newer. Add one that is to the command: PYTHON="
    assert told in done.stdout
    assert not (tree / ".venv").exists()


LOADS = """\
import gc, runpy
settings = runpy.run_path("gunicorn.conf.py")
loaded = len(gc.get_objects())
settings["when_ready"](None)
print(loaded, gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_what_is_loaded_at_the_start_is_never_looked_through_again():
    """Garbage collection would hold up conversations; it is frozen before workers are forked."""
    told = ran(sys.executable, "-c", LOADS).splitlines()[-1]
    loaded, frozen, left = map(int, told.split())
    assert loaded > 10_000
    assert frozen > 0.9 * loaded
    assert left < 0.05 * loaded
