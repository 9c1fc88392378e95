"""The models in use: on any day, on each stage's own host, with a warning before they end."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import product

import pytest
from testing import fake_realtime as realtime
from testing.builders import FROZEN_LIST, make_app
from testing.conversation_forms import MAIN, converse
from werkzeug.datastructures import Headers

from parley.models.model_list import SENT
from parley.web.caller_headers import caller_routes
from parley.web.stage_routes import models_of

OLD = {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}
NEW = {"stt": "gpt-transcribe", "text": "gpt-6-luna", "tts": "gpt-realtime-2.1-mini"}
ENDS_LINE = r"event=model_ends stage=\w+ model=(\S+) date=2027-\d\d-\d\d then=\S+"


@pytest.mark.parametrize(
    ("today", "models"),
    [
        (date(2027, 1, 5), OLD),
        (date(2027, 1, 6), {**OLD, "tts": NEW["tts"]}),
        (date(2027, 2, 25), {**NEW, "stt": OLD["stt"]}),
        (date(2027, 3, 1), NEW),
    ],
    ids=str,
)
def test_a_conversation_works_on_any_day(upstream, today, models):
    """Each stage asks a living model at once, and `models_used` says which."""
    if models["tts"] == NEW["tts"]:
        upstream.answers["tts"] = realtime.Readings()
    client = make_app(today=today, PARLEY_OPENAI_BASE_URL=upstream.url).test_client()
    answer = converse(client).json
    assert (answer["errors"], answer["models_used"]) == ([], models)
    for request, model in zip(upstream.requests, models.values(), strict=True):
        assert model.encode() in request.path.encode() + request.body
    refusal = client.post("/api/conversation/").json
    assert refusal["models_used"] == models  # Those that would have been.


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
    """Whatever is asked first on a day (UTC), and however many ask at once, says it again."""
    day = [6]
    app = make_app(today=lambda: date(2026, 11, day[0]))
    line = "event=model_ends stage=tts model=tts-1 date=2027-01-06 then=gpt-realtime-2.1-mini"
    for day[0], warned in ((7, 1), (7, 0), (8, 1)):
        logged.clear()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: app.test_client().get("/healthz"), range(64)))
        assert logged.text.count("event=model_ends") == logged.text.count(line) == warned


LATE = date(2027, 3, 1)
"""When all three defaults have shut down at OpenAI."""

HEADERS = {"stt": "X-STT-Base-URL", "text": "X-Text-Base-URL", "tts": "X-TTS-Base-URL"}
OPENAI, ELSEWHERE = "https://eu.api.openai.com/v1", "https://voice.example/v1"


def chosen(options=None, headers=None, today=LATE, **variables):
    """Each stage's choice."""
    app = make_app(today=today, **variables)
    services = app.extensions["parley"]
    routes = caller_routes(Headers(headers), services.settings)
    return models_of(options or {}, routes, services, today)


def names(choices) -> dict[str, str]:
    return {stage: choice.name for stage, choice in choices.items()}


@pytest.mark.parametrize("stage", OLD)
@pytest.mark.parametrize(("url", "default"), [(OPENAI, NEW), (ELSEWHERE, OLD)])
def test_a_name_is_sent_as_it_is_written_on_a_callers_stage_host(stage, url, default):
    """Listed or not, whatever its date; what is no name is the default, as other stages have it."""
    for name in ("maker/Model-1:8b", OLD[stage]):
        choices = chosen({f"{each}_model": name for each in OLD}, {HEADERS[stage]: url})
        assert names(choices) == {**NEW, stage: name}
        assert name != OLD[stage] or choices[stage].fallback.name == NEW[stage]
    for name in ("", " ", "two words", "-x", "*", "ü"):
        choices = chosen({f"{stage}_model": name}, {HEADERS[stage]: url})
        assert choices[stage].name == default[stage]


def test_a_listed_name_keeps_its_row():
    """Its interface, its parameters and its voices; of another, the common ones are taken."""
    everywhere = dict.fromkeys(HEADERS.values(), ELSEWHERE)
    listed = {f"{stage}_model": name for stage, name in NEW.items()}
    models = chosen(listed, everywhere)
    assert models["text"].parameters == {"reasoning_effort": "none"}
    assert models["tts"].interface == "realtime"
    assert models["tts"].voice_for("nobody") == "alloy"
    assert models["stt"].language == "languages[]"
    others = {f"{stage}_model": "other" for stage in NEW}
    models = chosen(others, everywhere)
    assert [model.interface for model in models.values()] == ["transcriptions", "chat", "speech"]
    assert models["text"].parameters == {}
    assert models["tts"].voice_for("af_heart") == "af_heart"
    assert models["stt"].language == "language"


@pytest.mark.parametrize(
    ("base_url", "models"),
    [
        ("https://api.openai.com/v1", NEW),
        ("https://eu.api.openai.com/v1", NEW),
        ("https://US.api.openai.com./v1", NEW),
        ("https://api.openai.com.example/v1", OLD),
        ("https://notapi.openai.com/v1", OLD),
        ("https://Voice.example:443/elsewhere", NEW),
    ],
)
def test_openais_hosts_share_their_days(base_url, models):
    """As does the service's own. Elsewhere models live on, with a replacement if one is unknown."""
    headers = {"X-OpenAI-Base-URL": base_url}
    choices = chosen(headers=headers, PARLEY_OPENAI_BASE_URL=ELSEWHERE)
    assert names(choices) == models
    if models == OLD:
        assert {stage: choice.fallback.name for stage, choice in choices.items()} == NEW


@pytest.mark.parametrize(
    ("own", "url", "dated"),
    [
        (False, ELSEWHERE, False),
        (False, OPENAI, True),
        (False, "https://api.openai.com/v1", True),
        (True, ELSEWHERE, True),
        (True, OPENAI, True),
    ],
)
@pytest.mark.parametrize("tokens", ["", "token-0123456789-abc"])
def test_the_lists_dates_on_an_operators_stage_host(logged, monkeypatch, own, url, dated, tokens):
    """They hold where the host is OpenAI's, or where the list was written for it."""
    if not own:
        monkeypatch.setattr("parley.web.stage_routes.MODEL_LIST", str(FROZEN_LIST))
    variables = {"PARLEY_TTS_BASE_URL": url, "PARLEY_CALLER_TOKENS": tokens}
    expected = {**NEW, "tts": NEW["tts"] if dated else OLD["tts"]}
    assert names(chosen(**variables)) == expected
    assert names(chosen({"tts_model": "unlisted"}, **variables)) == expected
    # A caller's main URL takes the place of the operator's host.
    if not tokens:
        main = chosen(headers={"X-OpenAI-Base-URL": ELSEWHERE}, **variables)
        assert names(main) == OLD
    logged.clear()
    app = make_app(today=date(2026, 12, 24), **variables)
    ending = re.findall(r"event=model_ends stage=(\w+)", logged.text)
    assert ("tts" in ending) is dated
    [speech, *_] = app.test_client().get("/page.json").json["stages"]["tts"]["models"]
    assert speech["name"] == "tts-1"
    assert speech["ends"] == ("2027-01-06" if dated else None)


@pytest.mark.parametrize(
    ("variables", "needed"),
    [
        ({}, True),
        ({"PARLEY_KEY_REQUIRED": "no"}, False),
        ({"PARLEY_TTS_BASE_URL": ELSEWHERE}, True),
        ({f"PARLEY_{stage.upper()}_BASE_URL": ELSEWHERE for stage in OLD}, False),
        ({"PARLEY_CALLER_TOKENS": "token-0123456789-abc", "PARLEY_KEY_REQUIRED": "no"}, True),
    ],
)
def test_the_page_asks_for_a_key_where_one_is_needed(variables, needed):
    """Where a stage goes to the main host, or where the service has tokens."""
    client = make_app(**variables).test_client()
    assert client.get("/page.json").json["key_required"] is needed


def test_no_parameter_may_be_what_the_service_sends(upstream):
    """Whatever is asked for, each field of each interface is in the table of those."""
    asked = {interface: {"model"} for interface in SENT}

    def hear(connection, request):
        asked["realtime"] |= set(realtime.Session(connection, request).begin())

    choices = [
        {"stt_model": "whisper-1", "tts_model": "tts-1"},
        {"stt_model": "gpt-transcribe", "tts_model": "gpt-realtime-2.1-mini"},
    ]
    client = make_app(PARLEY_OPENAI_BASE_URL=upstream.url).test_client()
    for choice, accept in product(choices, ("application/json", "text/event-stream")):
        upstream.answers = {"tts": hear} if choice is choices[1] else {}
        converse(client, {**MAIN, "Accept": accept}, language="en", **choice)
    for request in upstream.requests:
        name = request.path.rpartition("/")[2]
        if name == "transcriptions":
            names = re.findall(rb'form-data; name="([^"]+)"', request.body)
            asked["transcriptions"] |= {name.decode() for name in names}
        elif name in ("completions", "speech"):
            asked["chat" if name == "completions" else name] |= set(json.loads(request.body))
    assert asked == SENT
