"""What the tests share: the application, recordings, and an upstream."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests_mock
from flask import Flask
from flask.testing import FlaskClient
from tenacity import wait_none

from blueprints import BLUEPRINTS
from parley import registry
from parley.app import Services, create_app
from parley.settings import Settings
from parley.transport import Transport

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-parley-0123456789abcdef"


def wav(seconds: float = 0.1) -> bytes:
    """Silence as a WAV file: 16 kHz, 16 bit, mono."""
    samples = bytes(int(16_000 * seconds) * 2)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


def make_app(**variables: str) -> Flask:
    """The whole application, as wsgi.py puts it together, under these variables."""
    settings = Settings.from_env(variables)
    services = Services(
        settings, registry.read(ROOT / settings.model_list), Transport(settings.threads)
    )
    return create_app(services, BLUEPRINTS)


@pytest.fixture
def client() -> FlaskClient:
    """A caller of the application with its default settings."""
    return make_app().test_client()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the wait before them."""
    monkeypatch.setattr("parley.retries.BACKOFF", wait_none())


@pytest.fixture
def openai(at_once: None) -> Iterator[requests_mock.Mocker]:
    """OpenAI's three addresses, simulated; what is called elsewhere fails."""
    base = "https://api.openai.com/v1"
    with requests_mock.Mocker() as mocker:
        mocker.post(f"{base}/audio/transcriptions", json={"text": "What time is it?"})
        mocker.post(
            f"{base}/chat/completions", json={"choices": [{"message": {"content": "It is noon."}}]}
        )
        mocker.post(f"{base}/audio/speech", content=b"ID3 speech")
        yield mocker
