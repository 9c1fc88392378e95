"""The image of deploy/Dockerfile, built and run on this machine without any image's download."""

import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from testing.builders import ROOT, ran
from testing.gunicorn_process import free_port

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(900),  # To install two systems takes minutes on a busy machine.
    pytest.mark.skipif(os.getuid() != 0, reason="debootstrap and podman's chroot need root"),
]
BASE = "docker.io/library/python:3.11-slim"
CERTIFICATES = "/etc/ssl/certs"
SECONDS = 600
EXERCISE = """\
FROM parley
COPY . /exercise/
WORKDIR /exercise
ENV PYTHONPATH=/app
"""


def run(*command: object) -> str:
    """What the command prints; what it mounts ends with it."""
    return ran("unshare", "--mount", *command, seconds=SECONDS)


def pip_conf() -> str:
    """How this machine's pip reaches its index, without what names files of this machine."""
    lines = run(ROOT / ".venv" / "bin" / "pip", "config", "list").splitlines()
    wanted = ("cert", "index-url", "proxy", "timeout", "trusted-host")
    found = {}
    for line in lines:  # The environment's come first, and win: `:env:.cert='…'`.
        name, _, value = line.partition("=")
        found.setdefault(name.rpartition(".")[2], value.strip("'"))
    return "[global]\n" + "".join(f"{name} = {found[name]}\n" for name in wanted if name in found)


@pytest.fixture
def folder():
    """A folder that is removed whole: the images in it take more than a gigabyte."""
    with TemporaryDirectory(prefix="parley-container-") as path:
        yield Path(path)


@pytest.fixture
def podman(folder):
    """Podman with a store of its own, that holds a Debian with Python 3.11 by the base's name."""
    store = ("podman", "--root", folder / "store", "--runroot", folder / "run")
    system = folder / "system"
    packages = "ca-certificates,python3,python3-pip"
    run("debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", system)
    # As in Docker's image, `python` is there, and pip installs beside it.
    (system / "usr/bin/python").symlink_to("python3")
    next(system.glob("usr/lib/python3.*/EXTERNALLY-MANAGED")).unlink()
    run("tar", "-C", system, "-cf", folder / "system.tar", ".")
    shutil.rmtree(system)
    run(*store, "import", folder / "system.tar", BASE)
    (folder / "system.tar").unlink()
    return store


def test_the_container_answers_a_conversation(folder, podman):
    """Not as root, on PORT, with its own health check; SIGTERM ends it in good order."""
    (folder / "pip.conf").write_text(pip_conf())
    build = (*podman, "build", "--isolation=chroot", "--pull=never", "--network=host")
    host = ("-v", f"{CERTIFICATES}:{CERTIFICATES}:ro", "-v", f"{folder}/pip.conf:/etc/pip.conf:ro")
    # `--format docker`, since OCI's has no place for a health check.
    image = ("--format", "docker", *host, "-f", ROOT / "deploy" / "Dockerfile", "-t", "parley")
    run(*build, *image, ROOT)
    [config] = json.loads(run(*podman, "image", "inspect", "parley"))
    health = config["Healthcheck"]["Test"]
    assert health[0] == "CMD"
    words = json.dumps({"Cmd": config["Config"]["Cmd"], "Healthcheck": health[1:]})

    # Containers do not start everywhere; a step of a build does.
    context = folder / "exercise"
    (context / "testing").mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "question.wav", context)
    for path in ("__init__.py", "fake_openai.py", "container_exercise.py"):
        shutil.copy(ROOT / "tests" / "testing" / path, context / "testing")
    command = json.dumps(["python", "-m", "testing.container_exercise", words, str(free_port())])
    (context / "Dockerfile").write_text(EXERCISE + f"RUN {command}\n")
    run(*build, context)
