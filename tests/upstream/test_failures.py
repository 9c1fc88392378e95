"""How an upstream's refusal is understood: what it is about, and how long to wait."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from testing.builders import KEY

from parley.base_urls import BaseUrl
from parley.errors import (
    ApiKeyRejected,
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from parley.redaction import Secrets
from parley.upstream.failures import failure_in, require_success, retry_after
from parley.wire.messages import Answer, Upstream

DAY = 86_400
UPSTREAM = Upstream(BaseUrl.parse("https://api.openai.com/v1"), KEY, Secrets(KEY))
NO_ACCESS = "Project `proj_1` does not have access to model `gpt-4o`"


def failure(
    status: int, error: object, model: str = "gpt-4o", headers: Mapping[str, str] | None = None
) -> UpstreamError:
    """What a refusal with this error becomes, for a call of the model."""
    answer = Answer(status, headers or {}, json.dumps({"error": error}).encode())
    with pytest.raises(UpstreamError) as raised:
        require_success(answer, UPSTREAM, model)
    return raised.value


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "model_not_found", "message": "No."}, ModelNotFound),
        (403, {"code": "model_not_found", "message": NO_ACCESS}, ModelNotFound),
        (404, {"code": "model_not_found", "message": "No."}, ModelNotFound),
        (401, {"code": "model_not_found", "message": "No."}, ApiKeyRejected),
        (403, {"code": None, "message": NO_ACCESS}, ApiKeyRejected),
        (404, {"code": None, "message": "The model `gpt-4o` does not exist."}, ModelNotFound),
        (404, {"code": 404, "message": "The model `gpt-4o` does not exist."}, ModelNotFound),
        (404, {"message": 'model "gpt-4o" not found, try pulling it first'}, ModelNotFound),
        (404, {"message": "models/gpt-4o is not found."}, ModelNotFound),
        (404, {"message": "gpt-4o: no such model"}, ModelNotFound),
        (404, {"message": "There is no gpt-4o."}, ModelNotFound),
        (404, {"code": "not_found", "message": "The model `gpt-4o`"}, ModelNotFound),
        (400, {"code": None, "message": "The model `gpt-4o` takes no audio"}, UpstreamRejected),
        (404, {"code": None, "message": "Invalid URL (POST /v2/chat/completions)"}, None),
        (404, {"code": None, "message": "Invalid URL (GET /v2/realtime?model=gpt-4o)"}, None),
        (404, {"message": "Only gpt-4o-mini, gpt-4o.1, gpt-4o:8b and xgpt-4o are here."}, None),
        (404, {"message": None}, None),
        (404, "gpt-4o", ModelNotFound),
        (404, ["gpt"], None),
    ],
    ids=str,
)
def test_what_is_about_the_model_is_told_from_a_wrong_address(status, error, kind):
    """By its code, or by a 404 that names the model and not only the address."""
    assert type(failure(status, error)) is (kind or UpstreamRejected)


@pytest.mark.parametrize(
    ("status", "code", "should_retry", "kind", "retry"),
    [
        (400, None, None, UpstreamRejected, False),
        (400, None, "true", UpstreamRejected, True),
        (400, "insufficient_quota", None, UpstreamRejected, False),
        (408, None, None, UpstreamTimeout, True),
        (409, None, None, UpstreamRejected, True),
        (429, None, None, RateLimited, True),
        (429, "rate_limit_exceeded", None, RateLimited, True),
        (429, None, "false", RateLimited, False),
        (429, "insufficient_quota", None, QuotaExhausted, False),
        (429, "insufficient_quota", "true", QuotaExhausted, False),
        (429, "credit_balance_exhausted", None, QuotaExhausted, False),
        (499, None, None, UpstreamRejected, False),
        (500, None, None, UpstreamUnavailable, True),
        (500, None, "false", UpstreamUnavailable, False),
        (500, None, "perhaps", UpstreamUnavailable, True),
        (501, None, None, UpstreamRejected, False),
        (504, None, None, UpstreamTimeout, True),
    ],
)
def test_what_may_pass_is_tried_again(status, code, should_retry, kind, retry):
    """As OpenAI's own SDK does it, with the header that overrules it; not for want of money."""
    headers = {"x-should-retry": should_retry} if should_retry else {}
    refused = failure(status, {"code": code}, headers={**headers, "retry-after": "3"})
    assert (type(refused), refused.retry, refused.retry_after) == (kind, retry, 3)


def test_only_the_beginning_of_a_message_is_examined():
    """An upstream may send a megabyte of it."""
    assert type(failure(404, {"message": "x " * 300 + "gpt-4o"})) is ModelNotFound
    assert type(failure(404, {"message": "x " * 1200 + "gpt-4o"})) is UpstreamRejected
    metrics = "Quota exceeded for metric: requests, limit: 0. " * 30
    assert type(failure(429, {"message": metrics + "Please retry in 5s."})) is RateLimited


@pytest.mark.parametrize("key", ["error", "detail", "message"])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value]])
def test_a_reason_too_deep_is_none(key, wrap):
    """However deep it lies, looking for it ends; so does looking for a time to try again."""
    value = {"message": "quota", "code": 429}
    for _ in range(5000):
        value = {key: wrap(value)}
    assert type(failure_in(value, UPSTREAM)) is UpstreamMalformed
    deep = {"message": "Out of quota.", "code": 429, "details": value}
    assert type(failure_in({"error": deep}, UPSTREAM)) is QuotaExhausted


def test_a_call_without_a_model_lacks_none():
    """Asking for the list of models names no model."""
    assert type(failure(404, {"message": "No."}, "")) is UpstreamRejected


@pytest.mark.parametrize(
    ("length", "said"), [(300, "x" * 300), (301, "x" * 300 + "…"), (0, ""), (None, "")]
)
def test_what_the_upstream_says_is_kept_short(length, said):
    """300 characters are enough for a reason; without one the error's own sentence stands."""
    told = failure(400, {"message": "x" * length if length is not None else None}).message
    assert told == (
        f"The upstream refused the request, saying: {said}" if said else UpstreamRejected.message
    )


@pytest.mark.parametrize("message", ["a\x07bell", "half \ud800", f"key {KEY}"])
def test_what_cannot_be_printed_or_shows_the_key_is_not_said(message):
    """The error's own sentence stands instead."""
    assert failure(400, {"message": message}).message == UpstreamRejected.message


@pytest.mark.parametrize("status", [200, 204, 299])
def test_a_success_is_returned(status):
    """Whatever it holds."""
    answer = Answer(status, {}, b"")
    assert require_success(answer, UPSTREAM) is answer


@pytest.mark.parametrize("status", [199, 300, 600])
def test_whatever_is_no_success_is_a_failure(status):
    """Statuses that nobody has defined, too."""
    assert failure(status, {}).upstream_status == status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "20", "retry-after": "7"}, 0.02),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "86401"}, DAY),
        ({"retry-after": "1e300"}, DAY),
        ({"retry-after": "inf"}, DAY),
        ({"retry-after-ms": "1e300"}, DAY),
        ({"retry-after": "Mon, 01 Jan 99999999999 00:00:00 GMT"}, None),
        ({"retry-after": "Fri, 01 Jan 9999 00:00:00 GMT"}, DAY),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:00 -0000"}, None),
    ],
    ids=str,
)
def test_how_long_to_wait_is_read_as_openais_sdk_does(headers, seconds):
    """Milliseconds, seconds, or a date: never less than nothing, never more than a day."""
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_is_seconds_from_now():
    """RFC 9110, 10.2.3."""
    moment = datetime.now(UTC) + timedelta(seconds=100)
    wait = retry_after({"retry-after": format_datetime(moment, usegmt=True)})
    assert wait == pytest.approx(100, abs=20)


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        (UPSTREAM, True),
        (replace(UPSTREAM, secrets=Secrets("", "sk-of-the-text")), True),
        (replace(UPSTREAM, secrets=Secrets("sk-of-the-text", "sk-of-this-stage")), False),
        (replace(UPSTREAM, is_quoted=False), False),
    ],
    ids=["", "another key", "one of its keys", "the operator's key"],
)
def test_an_upstreams_words_are_told_unless_they_show_a_key(upstream, told):
    """A key of any stage; and where the key is not the caller's own, none of them are."""
    body = json.dumps({"error": {"message": "Not with this-stage."}}).encode()
    with pytest.raises(UpstreamRejected) as raised:
        require_success(Answer(400, {}, body), upstream)
    assert ("Not with this-stage." in raised.value.message) is told
