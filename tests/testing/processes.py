"""Servers that others wrote, each in a process of its own, which ends with the block."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from testing.gunicorn_process import end, environment, start

STOP_SECONDS = 20
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: what a server would fetch from elsewhere, it does not get."""


def unmeasured(variables: Mapping[str, str]) -> dict[str, str]:
    """An environment in which coverage is not measured, which makes every process slower."""
    return {name: v for name, v in variables.items() if not name.startswith("COVERAGE_PROCESS")}


@contextmanager
def started(
    command: Sequence[str | Path],
    log_file: Path,
    ready: str,
    seconds: float = 120,
    **variables: str,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server until the block ends; gives where it answers, and its process.

    It is ready when its log holds the pattern `ready`, whose group is the address, or when it
    answers at all at the address `ready`.
    """
    proxies = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "no_proxy": "127.0.0.1,localhost"}
    variables = unmeasured(environment(**proxies, **variables))
    process = start(command, log_file, env=variables, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + seconds
        while not (address := _address(log_file, ready)):
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.1)
        yield address, process
    finally:
        end(process, signal.SIGTERM, STOP_SECONDS)


def _address(log_file: Path, ready: str) -> str | None:
    if not ready.startswith("http"):
        found = re.search(ready, log_file.read_text(errors="replace"))
        return found and found[1]
    try:
        requests.get(ready, timeout=5)
    except requests.RequestException:
        return None
    return ready
