"""What the tests build with: the application, a recording, a key."""

import struct
from datetime import date
from pathlib import Path
from threading import Semaphore

from flask import Flask

from blueprints import BLUEPRINTS
from parley import page, registry
from parley.app import Services, create_app
from parley.settings import Settings
from parley.transport import Transport

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-Zq8vX3mK7pT2wR9yL4nB6cD1"


def wav(seconds: float = 0.1) -> bytes:
    """Silence as a WAV file: 16 kHz, 16 bit, mono."""
    samples = bytes(int(16_000 * seconds) * 2)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


LONG_AGO = date(2026, 10, 1)
"""When every model of the list was alive."""


def make_app(ca_bundle: str | None = None, today: date = LONG_AGO, **variables: str) -> Flask:
    """The whole application, as wsgi.py puts it together, under these variables, on that day."""
    settings = Settings.from_env(variables)
    services = Services(
        settings,
        registry.read(ROOT / settings.model_list),
        Transport(settings.threads, ca_bundle=ca_bundle),
        today=lambda: today,
        places=Semaphore(settings.threads),
    )
    return create_app(services, [*BLUEPRINTS, *([page.bp] if settings.page else [])])
