"""Which models are used on a stage's own host: names as written, dates where they hold."""

import json
import re
from datetime import date

import pytest
from testing.builders import FROZEN_LIST, make_app
from testing.conversation_forms import converse
from werkzeug.datastructures import Headers

from parley.commands import models as command
from parley.web.caller_headers import routes_for
from parley.web.model_choice import models_of

LATE = date(2027, 3, 1)
"""When all three defaults have shut down at OpenAI."""

OLD = {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}
NEW = {"stt": "gpt-transcribe", "text": "gpt-6-luna", "tts": "gpt-realtime-2.1-mini"}
HEADERS = {"stt": "X-STT-Base-URL", "text": "X-Text-Base-URL", "tts": "X-TTS-Base-URL"}
OPENAI, ELSEWHERE = "https://eu.api.openai.com/v1", "https://voice.example/v1"


def chosen(options=None, headers=None, today=LATE, **variables):
    """Each stage's choice."""
    app = make_app(today=today, **variables)
    services = app.extensions["parley"]
    routes = routes_for(Headers(headers), services.settings)
    return models_of(options or {}, routes, services, today)


def names(choices) -> dict[str, str]:
    return {stage: choice.name for stage, choice in choices.items()}


@pytest.mark.parametrize("stage", OLD)
@pytest.mark.parametrize("url", [OPENAI, ELSEWHERE])
def test_a_name_is_sent_as_it_is_written_on_a_callers_stage_host(stage, url):
    """Listed or not, whatever its date; the other stages go by the list."""
    named = {f"{each}_model": "maker/Model-1:8b" for each in OLD}
    assert names(chosen(named, {HEADERS[stage]: url})) == {**NEW, stage: "maker/Model-1:8b"}
    listed = {f"{each}_model": OLD[each] for each in OLD}
    choices = chosen(listed, {HEADERS[stage]: url})
    assert names(choices) == {**NEW, stage: OLD[stage]}
    assert choices[stage].fallback.name == NEW[stage]


@pytest.mark.parametrize("stage", OLD)
@pytest.mark.parametrize("name", ["", " ", "two words", "-x", "*", "ü"])
def test_a_name_that_cannot_be_one_is_the_default(stage, name):
    """The list's dates then hold on OpenAI's hosts, and not elsewhere."""
    for url, default in ((OPENAI, NEW), (ELSEWHERE, OLD)):
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


def test_the_hosts_get_the_names_voices_and_languages_as_written(upstream):
    app = make_app(PARLEY_ALLOWED_BASE_URLS="*")
    fields = {"stt_model": "Systran/faster-whisper-small", "language": "de", "voice": "af_heart"}
    fields |= {"text_model": "llama-3.3-70b", "tts_model": "kokoro"}
    answer = converse(app.test_client(), dict.fromkeys(HEADERS.values(), upstream.url), **fields)
    assert answer.status_code == 200
    assert answer.headers["X-Voice"] == "af_heart"
    assert answer.json["models_used"] == {
        stage: fields[f"{stage}_model"] for stage in ("stt", "text", "tts")
    }
    stt, text, tts = upstream.requests
    assert b'name="model"\r\n\r\nSystran/faster-whisper-small\r\n' in stt.body
    assert b'name="language"\r\n\r\nde\r\n' in stt.body
    assert json.loads(text.body)["model"] == "llama-3.3-70b"
    speech = json.loads(tts.body)
    assert (speech["model"], speech["voice"]) == ("kokoro", "af_heart")


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
def test_openais_hosts_share_their_days(base_url, models):
    """The regional ones shut models down with api.openai.com, whatever the service's own host."""
    headers = {"X-OpenAI-Base-URL": base_url}
    assert names(chosen(headers=headers, PARLEY_OPENAI_BASE_URL=ELSEWHERE)) == models


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
        monkeypatch.setattr("parley.web.model_choice.MODEL_LIST", str(FROZEN_LIST))
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
    printed = app.test_cli_runner().invoke(command, []).stdout
    assert "text: gpt-4o (chat, until 2027-01-14) at https://api.openai.com/v1\n" in printed
    where = url if dated else f"{url}, where the list's dates do not hold"
    assert f"tts: tts-1 (speech{', until 2027-01-06' if dated else ''}) at {where}\n" in printed
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
