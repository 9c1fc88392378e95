"""The servers that others wrote, with which conversations are held here, and where each stands."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from testing.builders import ROOT

DAY = "2026-11-30"
"""When these were last called, each in the version that its pins name."""


@dataclass(frozen=True)
class Server:
    """A server: its package, where it is pinned, and what to know of it here."""

    package: str
    pins: str
    starts: str
    """How long it takes to start, on two cores."""
    limits: str
    """What it was not asked, and why."""

    @property
    def version(self) -> str:
        """The version that the pins name."""
        pattern = rf'"?{re.escape(self.package)}"?(?:==|: ")(\d[\w.]*)'
        [version] = re.findall(pattern, (ROOT / self.pins).read_text())
        return version


# By their names in docs/hosts.md, but for aimock, which stands for hosts and is none.
SERVERS = {
    "aimock": Server(
        "@copilotkit/aimock",
        "tests/interop/package.json",
        starts="0.3 s",
        limits="It answers what it is told. Over its Realtime API it sends words, never sound, and "
        "its chaos mode does not reach there. Speech comes whole.",
    ),
    "llama.cpp's server": Server(
        "xllamacpp",
        "requirements-local.txt",
        starts="1 to 11 s",
        limits="The model has 135 million parameters, and hears nothing.",
    ),
    "LiteLLM": Server(
        "litellm",
        "tests/interop/litellm.txt",
        starts="9 s; 760 MB of disk",
        limits="Without a database: one master key, budgets of a deployment instead of a key's, "
        "and 400 `no_db_connection` where a key is wrong.",
    ),
    "faster-whisper-server": Server(
        "faster-whisper-server",
        "tests/interop/whisper.txt",
        starts="5 s; 510 MB of disk",
        limits="It reads `model_name` where OpenAI has `model`: every name gets its `whisper-1`. "
        "It has no key, no `GET /models`, and one sentence for all that it cannot decode.",
    ),
    "Piper": Server(
        "local-tts-studio",
        "tests/interop/piper.txt",
        starts="3 s; 310 MB of disk",
        limits="mp3 needs ffmpeg on its host, which is not asked for here: it refuses mp3. Its "
        "operator chooses the voice; the one that is sent counts for nothing.",
    ),
}


def program(folder: str, name: str) -> Path:
    """A program of an environment that `make test-interop` makes; skip the test without it."""
    environment = ROOT / ".venv" / "interop" / folder
    if not (environment / "stamp").exists():
        pytest.skip(f"{folder} is not installed in {environment.relative_to(ROOT)}")
    return environment / "bin" / name
