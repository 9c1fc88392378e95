"""The servers that others wrote, with which conversations are held here, and where each stands."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from testing.builders import ROOT
from testing.gunicorn_process import free_port
from testing.processes import started

DAY = "2026-11-30"
"""When these were last called, each in the version that its pins name."""


class Server(NamedTuple):
    """A server: its package, and where it is pinned."""

    package: str
    pins: str

    @property
    def version(self) -> str:
        pattern = rf'"?{re.escape(self.package)}"?(?:==|: ")(\d[\w.]*)'
        [version] = re.findall(pattern, (ROOT / self.pins).read_text())
        return version


# By their names in docs/hosts.md, but for aimock, which stands for hosts and is none.
SERVERS = {
    "aimock": Server("@copilotkit/aimock", "tests/interop/package.json"),
    "llama.cpp's server": Server("xllamacpp", "requirements-local.txt"),
    "LiteLLM": Server("litellm", "tests/interop/litellm.txt"),
    "faster-whisper-server": Server("faster-whisper-server", "tests/interop/whisper.txt"),
    "Piper": Server("local-tts-studio", "tests/interop/piper.txt"),
}


def program(folder: str, name: str) -> Path:
    """A program of an environment that `make test-interop` makes; skip the test without it."""
    environment = ROOT / ".venv" / "interop" / folder
    if not (environment / "stamp").exists():
        pytest.skip(f"{folder} is not installed in {environment.relative_to(ROOT)}")
    return environment / "bin" / name


@contextmanager
def at_a_port(
    command: list[str | Path], folder: Path, ready: str = "/v1", **variables: str
) -> Iterator[str]:
    """A server that is told its port; answers at `ready` then; gives its base URL."""
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    command += ["--host", "127.0.0.1", "--port", port]
    with started(command, folder / "server.log", f"{address}{ready}", **variables):
        yield f"{address}/v1"
