"""What the tests share: a caller, and upstreams that are simulated, with sockets and without."""

from collections.abc import Iterator

import pytest
import requests_mock
import trustme
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from testing import fake_openai
from testing.builders import make_app

from parley import log

# On a busy machine to make an example may take long, and so may to try it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def client() -> FlaskClient:
    """A caller of the application with its default settings."""
    return make_app().test_client()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, as the service writes it."""
    caplog.handler.setFormatter(log.Formatter())
    return caplog


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the wait before them."""
    monkeypatch.setattr("parley.upstream.calls.BACKOFF", (0.0, 0.0))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which a test sets: [seconds]."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def openai(at_once: None) -> Iterator[requests_mock.Mocker]:
    """OpenAI's addresses, simulated, without a Realtime API; what is called elsewhere fails."""
    base = "https://api.openai.com/v1"
    with requests_mock.Mocker() as mocker:
        mocker.post(f"{base}/audio/transcriptions", json={"text": "What time is it?"})
        mocker.post(
            f"{base}/chat/completions", json={"choices": [{"message": {"content": "It is noon."}}]}
        )
        mocker.post(f"{base}/audio/speech", content=b"ID3 speech")
        unknown = {"message": "No.", "type": "t", "param": None, "code": "model_not_found"}
        mocker.get(f"{base}/realtime", status_code=404, json={"error": unknown})
        yield mocker


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who certifies the upstreams that speak TLS."""
    return trustme.CA()


@pytest.fixture(scope="module")
def served_upstream() -> Iterator[fake_openai.Upstream]:
    """An upstream that outlives a test, for a service that does."""
    with fake_openai.running() as running:
        yield running


@pytest.fixture
def upstream(request: pytest.FixtureRequest) -> Iterator[fake_openai.Upstream]:
    """An upstream on a socket of its own, which answers as OpenAI does; a parameter: in TLS."""
    tls = None
    if getattr(request, "param", "http") == "https":
        tls = fake_openai.in_tls(request.getfixturevalue("authority"))
    with fake_openai.running(tls) as running:
        yield running
