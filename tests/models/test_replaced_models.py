"""Models end and the service goes on: conversations by a moved calendar, and warnings before."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from testing import fake_realtime as realtime
from testing.builders import make_app
from testing.conversation_forms import converse
from testing.fake_openai import http
from testing.fake_streams import streams_chat
from testing.unknown_models import knows_no_model
from testing.upstream_faults import says

from parley.web.model_choice import EndWarnings

OLD = ("whisper-1", "gpt-4o", "tts-1")
NEW = ("gpt-transcribe", "gpt-6-luna", "gpt-realtime-2.1-mini")
ENDS_LINE = r"event=model_ends stage=\w+ model=(\S+) date=2027-\d\d-\d\d then=\S+"


@pytest.mark.parametrize(
    ("today", "models"),
    [
        (date(2027, 1, 5), OLD),
        (date(2027, 1, 6), (*OLD[:2], NEW[2])),
        (date(2027, 2, 25), (OLD[0], *NEW[1:])),
        (date(2027, 3, 1), NEW),
    ],
    ids=str,
)
def test_a_conversation_works_on_any_day(upstream, today, models):
    """Each stage asks a living model at once, and `models_used` says which."""
    if models[2] == NEW[2]:
        upstream.answers["tts"] = realtime.speaks
    client = make_app(today=today, PARLEY_OPENAI_BASE_URL=upstream.url).test_client()
    answer = converse(client).json
    assert (answer["errors"], tuple(answer["models_used"].values())) == ([], models)
    for request, model in zip(upstream.requests, models, strict=True):
        assert model.encode() in request.path.encode() + request.body
    refusal = client.post("/api/conversation/").json
    assert refusal["models_used"] == answer["models_used"]  # Those that would have been.


def test_a_shutdown_that_comes_early_is_survived(upstream, logged):
    """What the upstream does not know before its time is replaced once, and the log says so."""
    upstream.answers["text"] = streams_chat()
    refusal = http(b'{"error": {"code": "model_not_found"}}', "404 Not Found")
    for stage in ("stt", "text", "tts"):
        knows_no_model(upstream, stage, says(refusal))
    answer = converse(make_app(PARLEY_OPENAI_BASE_URL=upstream.url).test_client())
    assert (answer.status_code, tuple(answer.json["models_used"].values())) == (200, NEW)
    for stage, old, new in zip(("stt", "text", "tts"), OLD, NEW, strict=True):
        assert f"event=model_replaced stage={stage} model={old} by={new}" in logged.text
    assert len(upstream.requests) == 6


@pytest.mark.parametrize(
    ("today", "warned"),
    [
        (date(2026, 11, 6), []),
        (date(2026, 11, 7), ["tts-1"]),
        (date(2026, 11, 22), ["gpt-4o", "tts-1"]),
        (date(2027, 1, 6), ["whisper-1", "gpt-4o"]),
        (date(2027, 3, 1), []),
    ],
    ids=str,
)
def test_the_start_warns_of_models_that_end_within_sixty_days(logged, today, warned):
    """One line for each model in use, with its day and what follows."""
    make_app(today=today)
    assert re.findall(ENDS_LINE, logged.text) == warned


def test_a_process_that_runs_on_warns_once_a_day(logged):
    """Whatever is asked of it first on a day (UTC), a health check included, says it again."""
    days = iter([date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 7), date(2026, 11, 8)])
    client = make_app(today=lambda: next(days)).test_client()
    for warned in (["tts-1"], [], ["tts-1"]):
        logged.clear()
        client.get("/healthz")
        assert re.findall(ENDS_LINE, logged.text) == warned


def test_a_days_first_requests_warn_once_between_them(logged):
    warn = EndWarnings(make_app(today=date(2026, 11, 7)).extensions["parley"])
    logged.clear()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: warn(), range(64)))
    line = "event=model_ends stage=tts model=tts-1 date=2027-01-06 then=gpt-realtime-2.1-mini"
    assert logged.text.count("event=model_ends") == logged.text.count(line) == 1
