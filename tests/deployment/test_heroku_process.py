"""The service as a Heroku-style platform runs it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from testing import fake_openai as fake
from testing.builders import KEY, ROOT, wav
from testing.gunicorn_process import LASTING_LIST, environment, free_port

BOOT_SECONDS = 30


@pytest.mark.system
def test_the_procfile_serves_from_a_moved_read_only_tree(tmp_path):
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
    }
    mount = f"mount --bind {tree} {tree} && mount -o remount,bind,ro {tree} && cd {tree}"
    with fake.running() as upstream:
        run = subprocess.Popen(
            ["/usr/bin/unshare", "-m", "sh", "-c", f"{mount} && exec honcho start web"],
            env=variables | {"PARLEY_OPENAI_BASE_URL": upstream.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            response = _first_answer(f"http://127.0.0.1:{port}/api/conversation/", run)
        finally:
            begun = time.monotonic()
            run.send_signal(signal.SIGTERM)
            output, _ = run.communicate(timeout=35)
    assert response.status_code == 200, output
    assert response.json()["text_response"] == fake.REPLY
    assert time.monotonic() - begun < 30
    assert "status=200" in output
    assert "Traceback" not in output
    assert not list(tree.rglob("__pycache__"))


@pytest.mark.system
def test_it_serves_where_there_is_no_shared_memory(tmp_path):
    """Where /dev/shm cannot be written to, the workers' heartbeats go to the disk."""
    port = free_port()
    mount = "mount -t tmpfs -o ro none /dev/shm"
    command = f"{sys.executable} -m gunicorn wsgi:app"
    with fake.running() as upstream, (tmp_path / "log").open("w+") as log:
        variables = {"PORT": str(port), "PARLEY_OPENAI_BASE_URL": upstream.url}
        run = subprocess.Popen(
            ["/usr/bin/unshare", "-m", "sh", "-c", f"{mount} && exec {command}"],
            cwd=ROOT,
            env=environment(**variables),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            response = _first_answer(f"http://127.0.0.1:{port}/api/conversation/", run)
        finally:
            run.terminate()
            run.wait(35)
    assert response.status_code == 200


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
    variables = environment(PYTHONPATH=str(tmp_path))
    subprocess.run(check, cwd=ROOT, env=variables, check=True, timeout=BOOT_SECONDS)


def _first_answer(url, run):
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and run.poll() is None:
        try:
            return requests.post(
                url, headers={"X-OpenAI-API-Key": KEY}, files={"audio": wav()}, timeout=10
            )
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("it does not answer")
