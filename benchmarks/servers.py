"""The servers that are measured, ours and the peers, and the simulated upstream behind them."""

import http.client
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from answers import Kind
from processes import settle, tree_of
from report import ROOT

BOOT_SECONDS = 30
LISTENING = re.compile(r"(?:Listening at:|running on) http://127\.0\.0\.1:(\d+)")
"""As gunicorn and uvicorn say it."""

THREADS = 500
"""For each of a threaded peer's two workers, so that 1,000 conversations can be in flight."""

DYNO_LIMITS = ("prlimit", "--nproc=256", "--nofile=10000")
"""What the platforms' small dynos allow; the kernel lets root pass the first."""

USERS = itertools.count(60_000)
"""One for each server, as a limit on processes counts all of a user's."""


@dataclass(frozen=True)
class Service:
    """Something that answers POST /api/conversation/, run by its own environment's Python."""

    name: str
    tree: Path
    python: Path
    arguments: tuple[str, ...]
    threaded: bool = False
    kind: Kind = Kind.JSON
    """How its answer comes."""


class DoesNotStart(SystemExit):
    """A service ended before it listened; says what it wrote last."""


def _peer(name: str, folder: str, *arguments: str, **options: Any) -> Service:
    python = ROOT / ".venv" / "peers" / folder / "bin" / "python"
    return Service(name, ROOT / "benchmarks" / "peers" / folder, python, arguments, **options)


GUNICORN = ("-m", "gunicorn", "--bind=127.0.0.1:0")
UVICORN = ("-m", "uvicorn", "--host=127.0.0.1", "--port=0", "app:app")
GTHREAD = (*GUNICORN, "--worker-class=gthread", "--keep-alive=95", "app:app")
PARLEY = Service("Parley", ROOT, Path(sys.executable), (*GUNICORN, "wsgi:app"))
FLASK_SDK = _peer("Flask, SDK", "flask_sdk", *GTHREAD, threaded=True)
FASTAPI = _peer("FastAPI, AsyncOpenAI", "fastapi_openai", *UVICORN)
VOICE_PIPELINE = _peer("VoicePipeline", "voice_pipeline", *UVICORN, kind=Kind.SOUND)
FLOOR = _peer("floor", "floor", *GTHREAD, threaded=True)
SERVICES = (PARLEY, FASTAPI, VOICE_PIPELINE, FLASK_SDK, FLOOR)


@contextmanager
def upstream(seconds: float | None = None, *, certificate: Path | None = None) -> Iterator[str]:
    """The base URL of a simulated upstream, which waits `seconds` before each of its answers.

    Without them it has the pace of a real one; with a certificate it speaks TLS.
    """
    arguments = [] if seconds is None else [str(seconds)]
    arguments += ["--certificate", str(certificate)] if certificate else []
    command = [sys.executable, str(ROOT / "benchmarks" / "upstream.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            scheme = "https" if certificate else "http"
            yield f"{scheme}://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


@contextmanager
def serving(
    service: Service,
    base_url: str,
    *,
    workers: int = 1,
    small_dyno: bool = False,
    settled: bool = True,
    threads: int = THREADS,
    variables: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, int]]:
    """The port and the process of a service that answers, and unless told otherwise is idle."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    named = {
        "PARLEY_OPENAI_BASE_URL": base_url,
        "PARLEY_MODEL_LIST": str(ROOT / "benchmarks" / "MODEL_LIST.MD"),
        "OPENAI_BASE_URL": base_url,
        "WEB_CONCURRENCY": str(workers),
    }
    if service.threaded:
        named["GUNICORN_CMD_ARGS"] = f"--threads={threads}"
    process = subprocess.Popen(
        [*(_limited() if small_dyno else ()), str(service.python), *service.arguments],
        cwd=service.tree,
        env=kept | named | dict(variables or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        log = ""
        while not (ready := LISTENING.search(log)):
            line = process.stderr.readline()
            if not line:
                raise DoesNotStart(f"{service.name} does not start:\n{log}")
            log += line
        threading.Thread(target=process.stderr.read, daemon=True).start()
        port = int(ready[1])
        _greet(port)
        if settled:
            settle(process.pid)
        yield port, process.pid
    finally:
        _stop(process)
        process.stderr.close()


def _greet(port: int) -> None:
    """Wait until a worker answers, whatever it says: uvicorn tells its port before it listens."""
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=BOOT_SECONDS)
            connection.request("GET", "/", headers={"Connection": "close"})
            connection.getresponse().read()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise DoesNotStart(f"Port {port} does not answer: {error}") from None
            time.sleep(0.01)
        finally:
            connection.close()


def _limited() -> tuple[str, ...]:
    """What a command starts with to run within a small dyno's limits, and not as root.

    The one privilege left is to read what root alone may, where this tree or its Python is such.
    """
    if os.geteuid() != 0:
        return DYNO_LIMITS
    user, left = next(USERS), "-all,+dac_read_search"
    privileges = [f"--{kind}={left}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    return (
        *("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"),
        *(*privileges, "--", *DYNO_LIMITS),
    )


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask it to end; after 40 s, longer than any of them should take, kill it and its children."""
    members = tree_of(process.pid)
    process.terminate()
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
