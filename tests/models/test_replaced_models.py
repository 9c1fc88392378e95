"""Models end and the service goes on: whole conversations by a moved calendar."""

import json
import re
import socket
from datetime import date

import pytest
from testing import conversation_forms as forms
from testing import fake_openai as fake
from testing import fake_realtime as realtime
from testing.builders import make_app
from testing.conversation_forms import MAIN
from testing.fake_openai import Request, Upstream, good, http

ENDS = {"tts-1": date(2027, 1, 6), "gpt-4o": date(2027, 1, 14), "whisper-1": date(2027, 2, 26)}
ENDS |= dict.fromkeys(("gpt-transcribe", "gpt-6-luna", "gpt-realtime-2.1-mini"), date.max)
NO_SPEECH_FROM = date(2027, 1, 6)
OLD = ("whisper-1", "gpt-4o", "tts-1")
NEW = ("gpt-transcribe", "gpt-6-luna", "gpt-realtime-2.1-mini")


def model_of(request: Request) -> str:
    """The model that a request names, wherever it does."""
    pattern = {"stt": rb'name="model"\r\n\r\n(\S+)', "text": rb'"model": "([^"]+)"'}
    if "realtime" in request.path:
        return request.path.partition("model=")[2]
    return re.search(pattern.get(request.stage, pattern["text"]), request.body)[1].decode()


def ageing(upstream: Upstream, today: date, status: str = "404 Not Found") -> None:
    """Let the upstream refuse what has ended by `today`, as OpenAI does."""

    def answer(connection: socket.socket, request: Request) -> bool:
        gone = request.path.endswith("/audio/speech") and today >= NO_SPEECH_FROM
        if gone or ENDS.get(model_of(request), date.min) <= today:
            error = {"message": "No.", "type": "t", "param": None, "code": "model_not_found"}
            connection.sendall(http(json.dumps({"error": error}).encode(), status))
        elif "realtime" in request.path:
            realtime.speaks(connection, request)
            return False
        else:
            connection.sendall(good(request))
        return True

    upstream.answers = dict.fromkeys(("stt", "text", "tts"), answer)


def converse(upstream: Upstream, today: date, base_url: str = "") -> tuple[int, dict]:
    """A conversation on a day: its status and its answer."""
    app = make_app(today=today, PARLEY_OPENAI_BASE_URL=upstream.url, PARLEY_ALLOWED_BASE_URLS="*")
    response = forms.converse(app.test_client(), {**MAIN, "X-OpenAI-Base-URL": base_url})
    return response.status_code, response.json


def used(answer: dict) -> tuple[str, ...]:
    return tuple(answer["models_used"].values())


@pytest.mark.parametrize(
    ("today", "models"),
    [
        (date(2026, 12, 1), OLD),
        (date(2027, 1, 5), OLD),
        (date(2027, 1, 6), (*OLD[:2], NEW[2])),
        (date(2027, 1, 7), (*OLD[:2], NEW[2])),
        (date(2027, 1, 15), (OLD[0], *NEW[1:])),
        (date(2027, 2, 25), (OLD[0], *NEW[1:])),
        (date(2027, 3, 1), NEW),
        (date(2037, 3, 1), NEW),
    ],
    ids=str,
)
def test_a_conversation_works_on_any_day(upstream, today, models):
    """Each stage asks a living model first, and `models_used` says which."""
    ageing(upstream, today)
    status, answer = converse(upstream, today)
    assert (status, answer["errors"], used(answer)) == (200, [], models)
    assert len(upstream.requests) == 3
    assert answer["audio"]
    refusal = make_app(today=today).test_client().post("/api/conversation/").json
    assert used(refusal) == models  # Where nothing was begun, those that would have been.


@pytest.mark.parametrize("refusal", ["404 Not Found", "400 Bad Request", "403 Forbidden"])
def test_a_shutdown_that_comes_early_is_survived(upstream, logged, refusal):
    """What the upstream does not know before its time is replaced once, and the log says so."""
    ageing(upstream, date(2027, 3, 1), refusal)
    status, answer = converse(upstream, date(2026, 12, 1))
    assert (status, used(answer)) == (200, NEW)
    for stage, old, new in zip(("stt", "text", "tts"), OLD, NEW, strict=True):
        assert f"event=model_replaced stage={stage} model={old} by={new}" in logged.text
    assert len(upstream.requests) == 6


def test_on_another_host_a_listed_model_lives_on(upstream):
    """A self-hosted tts-1 has no date; where it is unknown, its replacement is the second try.

    The service's own host is no other one, however it is named.
    """
    today = date(2027, 3, 1)
    with fake.running() as other:
        status, answer = converse(upstream, today, other.url)
        assert (status, used(answer)) == (200, OLD)
        ageing(other, today)
        status, answer = converse(upstream, today, other.url)
        assert (status, used(answer)) == (200, NEW)
        assert len(other.requests) == 9
    assert upstream.requests == []
    ageing(upstream, today)
    status, answer = converse(upstream, today, f"{upstream.url}/")
    assert (status, used(answer), len(upstream.requests)) == (200, NEW, 3)
