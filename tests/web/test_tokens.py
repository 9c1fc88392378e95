"""Tokens: callers use the operator's keys, and learn nothing of them."""

import logging
import re
from collections.abc import Mapping

import pytest
from testing import conversation_forms as forms
from testing import fake_openai as fake
from testing.builders import ANY_MODEL, FROZEN_LIST, KEY, make_app
from testing.fake_streams import streams_chat
from testing.recording_hosts import secret, shows
from testing.representations import STREAM
from testing.upstream_faults import closes, says

from parley.web import caller_headers

OLD, NEW = "old-token-0123456789", secret()
KEYS = {"PARLEY_OPENAI_API_KEY": secret(), "PARLEY_TTS_API_KEY": secret()}
HOSTS_AND_KEYS = [
    ("X-OpenAI-Base-URL", "https://api.openai.com/v1"),
    ("X-STT-Base-URL", "https://api.openai.com/v1"),
    ("X-Text-Base-URL", "no url"),
    ("X-TTS-Base-URL", "http://127.0.0.1/v1"),
    ("X-STT-API-Key", KEY),
    ("X-Text-API-Key", KEY),
    ("X-TTS-API-Key", "schlüssel"),
]


def team(upstream: fake.Upstream, tokens: str = f"{OLD} {NEW}", **variables: str):
    """The application of a team behind tokens."""
    hosts = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_CALLER_TOKENS": tokens}
    return make_app(**{**KEYS, **hosts, **variables})


def converse(app, token: str = OLD, fields: Mapping[str, str] = {}, **headers: str):
    """One conversation with a token, sent as the main key."""
    sent = {"X-OpenAI-API-Key": token} if token else {}
    return forms.converse(app.test_client(), sent | headers, **fields)


def code_of(answer) -> tuple[int, str | None]:
    errors = answer.json["errors"]
    return answer.status_code, errors[0]["code"] if errors else None


def test_a_token_is_changed_without_a_gap(upstream):
    """Both are taken for a while. Some clients send every header: a blank one is not sent."""
    blank = dict.fromkeys((name for name, _ in HOSTS_AND_KEYS), " ")
    for token in (OLD, NEW):
        assert code_of(converse(team(upstream), token, **blank)) == (200, None)
        bearer = {"Authorization": f"Bearer {token}"}
        assert code_of(converse(team(upstream), "", **bearer)) == (200, None)
    assert code_of(converse(team(upstream, NEW), OLD)) == (401, "api_key_rejected")
    sent = [request.headers["authorization"] for request in upstream.requests]
    main, speech = (f"Bearer {key}" for key in KEYS.values())
    assert sent == [main, main, speech] * 4


WRONG = [OLD[:-1], OLD + "x", OLD.upper(), "a" * 8000, *KEYS.values()]
MISSING = ["", "  ", "schlüssel", f"{OLD} {NEW}"]


@pytest.mark.parametrize(
    ("token", "code"),
    [*((t, "api_key_rejected") for t in WRONG), *((t, "api_key_missing") for t in MISSING)],
)
@pytest.mark.parametrize("required", ["yes", "no"])
def test_another_token_or_none_is_refused(upstream, token, code, required):
    """However near it is; a key of the operator's is none. The upstream may need no key."""
    answer = converse(team(upstream, PARLEY_KEY_REQUIRED=required), token)
    assert code_of(answer) == (401, code)
    [error] = answer.json["errors"]
    assert error["stage"] == "request"
    assert "token" in error["message"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert upstream.requests == []


def test_a_token_is_compared_with_each_in_constant_time(upstream, monkeypatch):
    """A comparison that stops early, or a list that does, would tell how good a guess is."""
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(caller_headers, "compare_digest", compare)
    for token in (OLD, NEW, "x" * 20):
        converse(team(upstream), token)
    assert compared == [(token, each) for token in (OLD, NEW, "x" * 20) for each in (OLD, NEW)]


@pytest.mark.parametrize(("header", "value"), HOSTS_AND_KEYS)
def test_hosts_and_keys_of_a_caller_are_refused(upstream, header, value):
    """The message names the header. The token is checked before."""
    answer = converse(team(upstream), **{header: value})
    assert code_of(answer) == (400, "base_url_refused")
    assert header in answer.json["errors"][0]["message"]
    assert answer.json["models_used"] == {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}
    assert code_of(converse(team(upstream), "x" * 20, **{header: value}))[0] == 401
    assert upstream.requests == []


def test_nothing_shows_the_operators_keys(upstream, logged, at_once):
    """Neither the settings and services in print, nor the log, nor an answer with its headers."""
    logged.set_level(logging.DEBUG, "parley")
    main = KEYS["PARLEY_OPENAI_API_KEY"]
    app = team(upstream, PARLEY_MODEL_LIST=str(FROZEN_LIST))
    services = app.extensions["parley"]
    written = [repr(services), repr(services.settings), str(vars(app))]
    for status in ("400 No", "401 No", "500 No", "200 OK"):
        body = b'{"error": {"message": "Your key %b."}}' % main.encode()
        answer = fake.http(body, status, x_request_id=main[5:], Connection="keep-alive")
        upstream.answers["stt"] = says(answer)
        response = converse(app)
        # An upstream's 401 is the operator's to mend, and asks no caller for a key.
        expected = {"400": "upstream_rejected", "401": "api_key_rejected"}.get(status[:3])
        assert code_of(response)[1] == expected or not expected
        written += [response.text, str(response.headers)]
    written.append(logged.text)
    assert "upstream_ids" in logged.text
    for text in written:
        for kept in (*KEYS.values(), OLD, NEW):
            assert not shows(text.encode(), kept)


def test_a_key_that_the_operator_did_not_set_is_asked_of_no_caller(upstream):
    """It is the operator's to mend, and none of the upstream's words are told."""
    upstream.answers["stt"] = says(fake.http(b'{"error": {"message": "No key."}}', "401 No"))
    answer = converse(team(upstream, PARLEY_OPENAI_API_KEY=""))
    assert code_of(answer) == (401, "api_key_rejected")
    assert "No key." not in answer.text


def test_a_caller_cannot_try_out_the_operators_keys(upstream):
    """What an answer says does not depend on whether the caller's text is in a key."""
    main = KEYS["PARLEY_OPENAI_API_KEY"].removeprefix("sk-")
    app, ids = team(upstream, PARLEY_MODEL_LIST=str(ANY_MODEL)), []

    def repeats(connection, request):
        name = re.search(rb'name="model"\r\n\r\n(\S+)', request.body)[1]
        ids.append(request.headers["x-client-request-id"])
        body = b'{"error": {"message": "There is no %b."}}' % name
        connection.sendall(fake.http(body, "400 No", x_request_id=f"req-{name.decode()}"))

    upstream.answers["stt"] = repeats
    told = []
    for guess in (main[:4], main[6:12], main[-4:], main, "wrong"):
        answer = converse(app, fields={"stt_model": guess}, **{"X-Request-ID": guess})
        assert ids[-1] == answer.headers["X-Request-ID"] != guess
        told.append((answer.status_code, answer.json["errors"]))
    assert [told[0]] * 5 == told
    assert "upstream_request_id" not in told[0][1][0]


@pytest.mark.parametrize(
    ("accept", "stage"),
    [(STREAM, "text"), (STREAM, "tts"), ("application/json", "tts"), ("audio/mpeg", "tts")],
)
def test_no_answer_names_a_failed_call_with_a_token(upstream, logged, at_once, accept, stage):
    """Not after an answer has begun, either. The operator finds the id in the log."""
    logged.set_level(logging.INFO)

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\nx-request-id: req-0815\r\n\r\n"
    delta = b'data: {"choices": [{"delta": {"content": "Yes. "}}]}\n\n'
    upstream.answers["text"] = streams_chat()
    upstream.answers[stage] = closes(head + {"text": delta, "tts": b"ID3 "}[stage])
    answer = converse(team(upstream), Accept=accept)
    written = answer.text + str(answer.headers)
    assert "req-0815" in logged.text
    assert "req-0815" not in written
    assert "upstream_unavailable" in (logged.text if accept == "audio/mpeg" else written)
