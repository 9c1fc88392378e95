"""The service as a Heroku-style platform runs it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from testing.builders import ROOT, ran
from testing.fake_openai import REPLY, soon
from testing.gunicorn_process import LASTING_LIST, free_port, serving
from testing.representations import ask

BOOT_SECONDS = 30


@pytest.mark.system
def test_the_procfile_serves_from_a_moved_read_only_tree(tmp_path, upstream):
    """With the platform's variables alone; SIGTERM ends it in good order and in time."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("src", "blueprints"):
        shutil.copytree(ROOT / name, tmp_path / "build" / name, ignore=unwanted)
    for name in ("wsgi.py", "gunicorn.conf.py", "Procfile"):
        shutil.copy(ROOT / name, tmp_path / "build")
    shutil.copy(LASTING_LIST, tmp_path / "build" / "MODEL_LIST.MD")
    tree = (tmp_path / "build").rename(tmp_path / "app")
    port = free_port()
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tree),
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "DYNO": "web.1",
        "PARLEY_OPENAI_BASE_URL": upstream.url,
    }
    mount = f"mount --bind {tree} {tree} && mount -o remount,bind,ro {tree} && cd {tree}"
    run = subprocess.Popen(
        ["/usr/bin/unshare", "-m", "sh", "-c", f"{mount} && exec honcho start web"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def listens():
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert soon(listens, BOOT_SECONDS)
        told = ask(f"http://127.0.0.1:{port}")
    finally:
        begun = time.monotonic()
        run.send_signal(signal.SIGTERM)
        output, _ = run.communicate(timeout=35)
    assert (told.status, told.reply) == (200, REPLY), output
    assert time.monotonic() - begun < 30
    assert "status=200" in output
    assert "Traceback" not in output
    assert not list(tree.rglob("__pycache__"))


@pytest.mark.system
def test_it_serves_where_there_is_no_shared_memory(tmp_path, upstream):
    """Where /dev/shm cannot be written to, the workers' heartbeats go to the disk."""
    under = [
        "/usr/bin/unshare",
        "-m",
        "sh",
        "-c",
        'mount -t tmpfs -o ro none /dev/shm && exec "$@"',
    ]
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    with serving(tmp_path / "log", variables, under=[*under, "sh"]) as service:
        assert ask(service.url).status == 200


DARWIN = """\
import resource

def setrlimit(which, limits):
    if not 0 <= limits[0] <= 10_240:
        raise ValueError("current limit exceeds maximum limit")

resource.getrlimit = lambda which: (256, resource.RLIM_INFINITY)
resource.setrlimit = setrlimit
"""


def test_the_configuration_loads_where_the_limit_is_infinite(tmp_path):
    """Darwin names no limit of open files, and refuses more than OPEN_MAX: its setrlimit(2)."""
    (tmp_path / "sitecustomize.py").write_text(DARWIN)
    check = [sys.executable, "-m", "gunicorn", "--check-config", "wsgi:app"]
    ran(*check, seconds=BOOT_SECONDS, PYTHONPATH=str(tmp_path))
