"""The service as it is served: gunicorn in a process of its own, on a socket of the test's."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
LASTING_LIST = ROOT / "tests" / "testing" / "lasting_models.md"
"""Models without an end: what is served here goes by today's date, whenever that is."""

BOOT_SECONDS = 120
LOG_SECONDS = 30


@dataclass
class Service:
    """A running service; `log` is all that it wrote."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def conversation_url(self) -> str:
        return f"{self.url}/api/conversation/"

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def logs(self, text: str, after: int = 0) -> bool:
        """Whether the log has the text behind so many characters, or gets it soon.

        A thread of its own writes it.
        """
        until = time.monotonic() + LOG_SECONDS
        while text not in self.log[after:] and time.monotonic() < until:
            time.sleep(0.02)
        return text in self.log[after:]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without the project's own variables, and with `variables`.

    One worker unless they say otherwise, so that what a test knows of one holds for all.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PARLEY_", "PYTHONPATH", "WEB_CONCURRENCY", "PORT"))
    }
    return {"WEB_CONCURRENCY": "1", **kept, **variables}


@contextmanager
def serving(
    log_file: Path,
    variables: Mapping[str, str],
    tree: Path = ROOT,
    *arguments: str,
    app: str = "wsgi:app",
    port: int | None = None,
    under: Sequence[str] = (),
    python: str = sys.executable,
) -> Iterator[Service]:
    """Serve `tree` with gunicorn, as its Procfile does; end it and its workers afterwards, at once.

    Where a port is named gunicorn opens it, and closes it as it would on a platform. `under` is a
    command to run it with, one that limits it say.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    variables = {"PARLEY_MODEL_LIST": str(LASTING_LIST), **variables}
    if app.startswith("testing."):
        variables["PYTHONPATH"] = f"{ROOT}:{ROOT / 'tests'}"
    with listener:
        descriptor = listener.fileno()
        address = f"127.0.0.1:{port}" if port else f"fd://{descriptor}"
        command = [*under, python, "-m", "gunicorn", f"--bind={address}", *arguments, app]
        how = {"cwd": tree, "env": environment(**variables), "pass_fds": [descriptor]}
        process = start(command, log_file, **how)
        url = f"http://127.0.0.1:{port or listener.getsockname()[1]}"
        service = Service(url, process, log_file)
        try:
            _wait(service)
            yield service
        finally:
            end(process, signal.SIGQUIT, 35)


def start(command: Sequence[object], log_file: Path, **how: Any) -> subprocess.Popen[bytes]:
    """Start a process whose output goes to a file."""
    with log_file.open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **how)


def end(process: subprocess.Popen[bytes], how: signal.Signals, seconds: float) -> None:
    """Ask a process to end, and kill it where it has not ended within so many seconds."""
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def serving_models(folder: Path, models: str, **variables: str) -> AbstractContextManager[Service]:
    """Serve with this text as the model list; it lies in the folder, as the log does."""
    (folder / "list.md").write_text(models)
    variables = {"PARLEY_MODEL_LIST": str(folder / "list.md"), **variables}
    return serving(folder / "service.log", variables)


def _wait(service: Service) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and service.process.poll() is None:
        try:
            requests.get(f"{service.url}/healthz", timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)  # Where gunicorn opens the port, this is refused at once.
            continue
        return
    raise AssertionError(f"the service does not answer:\n{service.log}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def make_run(log_file: Path, port: int, engine_port: int) -> subprocess.Popen[bytes]:
    """Start `make run` in a process group of its own, as a terminal does."""
    command = ["make", "run", f"PORT={port}", f"ENGINE_PORT={engine_port}"]
    return start(command, log_file, cwd=ROOT, env=environment(), start_new_session=True)
