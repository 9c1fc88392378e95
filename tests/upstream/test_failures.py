"""How an upstream's refusal is understood: what it is about, and how long to wait."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from testing.builders import KEY

from parley.base_urls import BaseUrl
from parley.errors import (
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRejected,
)
from parley.redaction import Secrets
from parley.upstream.failures import failure_told_by, require_success, retry_after
from parley.wire.upstreams import Upstream

DAY = 86_400
UPSTREAM = Upstream(BaseUrl.parse("https://api.openai.com/v1"), KEY, Secrets(KEY))


def failure(status: int, error: object, model: str = "gpt-4o") -> UpstreamError:
    """What a refusal with this error becomes, for a call of the model."""
    body = json.dumps({"error": error}).encode()
    answer = SimpleNamespace(status=status, headers={}, request_id="", whole=lambda counted: body)
    with pytest.raises(UpstreamError) as raised:
        require_success(answer, UPSTREAM, model)
    return raised.value


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
    assert type(failure_told_by(value, UPSTREAM)) is UpstreamMalformed
    deep = {"message": "Out of quota.", "code": 429, "details": value}
    assert type(failure_told_by({"error": deep}, UPSTREAM)) is QuotaExhausted


def test_a_call_without_a_model_lacks_none():
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


@pytest.mark.parametrize(
    ("status", "begins"),
    [
        (401, "The upstream refused the API key"),
        (404, "The upstream refused the request"),
        (500, "The upstream failed"),
        (504, "The upstream took too long"),
    ],
)
def test_a_sentence_ends_with_the_upstreams_own_words(status, begins):
    assert failure(status, {"message": "No gpt-4o."}).message == f"{begins}, saying: No gpt-4o."


@pytest.mark.parametrize("status", [199, 300, 600])
def test_whatever_is_no_success_is_a_failure(status):
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
