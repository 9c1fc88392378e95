"""Models end and the service goes on: whole conversations by a moved calendar."""

import base64
import io
import json
import re
import socket
from datetime import date

import av
import pytest
from testing import fake_openai as fake
from testing import fake_realtime as realtime
from testing.builders import KEY, make_app, wav
from testing.fake_openai import Request, Upstream, good, http
from werkzeug.datastructures import Headers

from parley.web.caller_headers import routes_for
from parley.web.model_choice import models_of

ENDS = {
    "tts-1": date(2027, 1, 6),
    "gpt-4o": date(2027, 1, 14),
    "gpt-4o-mini": date(2027, 1, 14),
    "whisper-1": date(2027, 2, 26),
    "gpt-transcribe": date.max,
    "gpt-6-luna": date.max,
    "gpt-realtime-2.1-mini": date.max,
}
NO_SPEECH_FROM = date(2027, 1, 6)
OLD, NEW = (
    ("whisper-1", "gpt-4o", "tts-1"),
    ("gpt-transcribe", "gpt-6-luna", "gpt-realtime-2.1-mini"),
)


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


def converse(
    upstream: Upstream, today: date, base_url: str = "", fields: dict | None = None
) -> tuple[int, dict]:
    """A conversation on a day: its status and its answer."""
    app = make_app(today=today, PARLEY_OPENAI_BASE_URL=upstream.url, PARLEY_ALLOWED_BASE_URLS="*")
    response = app.test_client().post(
        "/api/conversation/",
        data={"audio": (io.BytesIO(wav()), "a.wav"), **(fields or {})},
        headers={"X-OpenAI-API-Key": KEY, "X-OpenAI-Base-URL": base_url},
    )
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


def test_speech_over_the_realtime_api_is_playable_mp3(upstream):
    """The caller gets what they always got: mp3, as long as the PCM that it is made of."""
    ageing(upstream, date(2027, 3, 1))
    _, answer = converse(upstream, date(2027, 3, 1))
    with av.open(io.BytesIO(base64.b64decode(answer["audio"]))) as container:
        stream = container.streams.audio[0]
        assert (container.format.name, stream.rate, stream.channels) == ("mp3", 24_000, 1)
        samples = sum(frame.samples for frame in container.decode(stream))
    assert samples / 24_000 == pytest.approx(1, abs=0.1)


def test_a_model_gets_the_parameters_that_it_needs(upstream):
    """gpt-6-luna is told not to reason while a caller waits; gpt-4o would refuse the word."""
    for today in (date(2026, 12, 1), date(2027, 3, 1)):
        ageing(upstream, today)
        converse(upstream, today)
    old, new = (json.loads(sent.body) for sent in upstream.requests if sent.stage == "text")
    assert "reasoning_effort" not in old
    assert new["reasoning_effort"] == "none"


def test_a_named_model_that_has_ended_is_followed(upstream):
    """A caller's own choice is replaced like a default; an unknown name is the default."""
    ageing(upstream, date(2027, 3, 1))
    fields = {"stt_model": "nonsense", "text_model": "gpt-4o-mini", "tts_model": "tts-1-hd"}
    status, answer = converse(upstream, date(2027, 3, 1), fields=fields)
    assert (status, used(answer)) == (200, NEW)


@pytest.mark.parametrize("refusal", ["404 Not Found", "400 Bad Request", "403 Forbidden"])
def test_a_shutdown_that_comes_early_is_survived(upstream, logged, refusal):
    """What the upstream does not know before its time is replaced once, and the log says so."""
    ageing(upstream, date(2027, 3, 1), refusal)
    status, answer = converse(upstream, date(2026, 12, 1))
    assert (status, used(answer)) == (200, NEW)
    for stage, old, new in zip(("stt", "text", "tts"), OLD, NEW, strict=True):
        assert f"event=model_replaced stage={stage} model={old} by={new}" in logged.text
    assert len(upstream.requests) == 6


def test_a_replacement_is_tried_once(upstream, logged):
    """An upstream that knows neither model is not asked for a third; the error is its own."""
    ageing(upstream, date.max)
    status, answer = converse(upstream, date(2026, 12, 1))
    assert (status, answer["errors"][0]["code"]) == (400, "upstream_rejected")
    assert answer["errors"][0]["upstream_status"] == 404
    assert used(answer) == OLD  # Nothing but what has answered was used.
    assert "model_replaced" not in logged.text
    assert len(upstream.requests) == 2


def test_a_wrong_base_path_is_no_missing_model(upstream, logged):
    """A 404 that says nothing of the model replaces none, and the log does not say that it did."""
    missing = {"message": "Invalid URL (POST /v2/audio/transcriptions)", "code": None}
    answer = http(json.dumps({"error": missing}).encode(), "404 Not Found")
    upstream.answers["stt"] = lambda connection, request: connection.sendall(answer)
    status, answer = converse(upstream, date(2026, 12, 1))
    assert (status, answer["errors"][0]["code"]) == (400, "upstream_rejected")
    assert used(answer) == OLD
    assert len(upstream.requests) == 1
    assert "model_replaced" not in logged.text


def test_a_host_that_sends_no_code_can_lack_a_model_too(upstream):
    """Many OpenAI-compatible servers name the model in a sentence, and that alone."""

    def answer(connection: socket.socket, request: Request) -> bool:
        known = model_of(request) != "whisper-1"
        error = {"message": "The model `whisper-1` does not exist.", "code": 404}
        refused = http(json.dumps({"error": error}).encode(), "404 Not Found")
        connection.sendall(good(request) if known else refused)
        return True

    upstream.answers["stt"] = answer
    status, answer = converse(upstream, date(2026, 12, 1))
    assert (status, used(answer)) == (200, (NEW[0], *OLD[1:]))


def test_on_another_host_a_listed_model_lives_on(upstream):
    """A self-hosted tts-1 has no date; where it is unknown, its replacement is the second try."""
    with fake.running() as other:
        status, answer = converse(upstream, date(2027, 3, 1), other.url)
        assert (status, used(answer)) == (200, OLD)
        ageing(other, date(2027, 3, 1))
        status, answer = converse(upstream, date(2027, 3, 1), other.url)
        assert (status, used(answer)) == (200, NEW)
        assert len(other.requests) == 9
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("base_url", "models"),
    [
        ("https://api.openai.com/v1", NEW),
        ("https://eu.api.openai.com/v1", NEW),
        ("https://US.api.openai.com./v1", NEW),
        ("https://api.openai.com.example/v1", OLD),
        ("https://notapi.openai.com/v1", OLD),
    ],
)
def test_openais_hosts_share_their_days(upstream, base_url, models):
    """The regional ones shut models down with api.openai.com, whatever the service's own host."""
    app = make_app(today=date(2027, 3, 1), PARLEY_OPENAI_BASE_URL=upstream.url)
    services = app.extensions["parley"]
    routes = routes_for(Headers({"X-OpenAI-Base-URL": base_url}), services.settings)
    chosen = models_of({}, routes, services, date(2027, 3, 1))
    assert tuple(model.name for model in chosen.values()) == models


def test_the_services_own_host_is_its_own_however_it_is_named(upstream):
    """A caller who spells out the default gets the default's lifetimes."""
    ageing(upstream, date(2027, 3, 1))
    status, answer = converse(upstream, date(2027, 3, 1), f"{upstream.url}/")
    assert (status, used(answer)) == (200, NEW)


def test_a_refusal_names_the_models_that_would_have_been_used(upstream):
    """The six keys tell the day's models even where nothing was begun."""
    app = make_app(today=date(2027, 3, 1))
    answer = app.test_client().post("/api/conversation/").json
    assert used(answer) == NEW
