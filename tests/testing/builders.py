"""What the tests build with: the application, a recording, a key."""

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

from flask import Flask

from blueprints import BLUEPRINTS
from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.models import model_list
from parley.models.registry import Model
from parley.page import blueprint as page
from parley.redaction import Secrets
from parley.settings import Settings
from parley.upstream.client import Client, Options
from parley.web.app import create_app
from parley.web.services import Services
from parley.web.serving.slots import Slots
from parley.wire.transport import Transport, Upstream

ROOT = Path(__file__).resolve().parents[2]
FROZEN_LIST = ROOT / "tests" / "testing" / "model_list.md"
"""The models that tests count on, whatever becomes of the project's own list."""

ANY_MODEL = ROOT / "tests" / "testing" / "any_model.md"

KEY = "sk-Zq8vX3mK7pT2wR9yL4nB6cD1"


def wav(seconds: float = 0.1) -> bytes:
    """Silence as a WAV file: 16 kHz, 16 bit, mono."""
    samples = bytes(int(16_000 * seconds) * 2)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


LONG_AGO = date(2026, 10, 1)
"""When every model of the list was alive."""


_models = cache(model_list.read)


def make_app(
    ca_bundle: str | None = None, today: date | Callable[[], date] = LONG_AGO, **variables: str
) -> Flask:
    """The whole application, as wsgi.py puts it together, under these variables, on that day."""
    settings = Settings.from_env({"PARLEY_MODEL_LIST": str(FROZEN_LIST), **variables})
    services = Services(
        settings,
        _models(ROOT / settings.model_list),
        Transport(settings.capacity, ca_bundle=ca_bundle),
        today=today if callable(today) else lambda: today,
        slots=Slots(settings.capacity),
    )
    return create_app(services, [*BLUEPRINTS, *([page.bp] if settings.page else [])])


def make_client(base_url: str, models: dict[str, Model], **options: str) -> Client:
    """The client of a conversation in which each stage has the same upstream."""
    upstream = Upstream(BaseUrl.parse(base_url), KEY, Secrets(KEY), "caller-7")
    chosen = Options(**{"system_prompt": "Be brief.", **options})
    return Client(Transport(1), dict.fromkeys(models, upstream), models, Deadline.after(20), chosen)


def ran(*command: object, tree: Path = ROOT, seconds: float = 60, **variables: str) -> str:
    """What a command prints; it fails, with all that it wrote, unless it succeeds."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=tree,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def copy_tree(folder: Path) -> Path:
    """A copy of what a push sends, in `folder`, which is made; what is ignored stays behind."""
    listing = ran("git", "ls-files", "--cached", "--others", "--exclude-standard")
    for name in listing.splitlines():
        if (ROOT / name).exists():  # Else it is deleted, and not yet committed.
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder
