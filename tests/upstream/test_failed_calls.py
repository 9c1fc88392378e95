"""A failed call: what the upstream's refusal is about, and when the call is tried again."""

import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from unittest.mock import Mock

import pytest
from testing.builders import KEY

from parley import errors
from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.errors import RateLimited, StaleConnection, UpstreamMalformed, UpstreamUnavailable
from parley.redaction import Secrets
from parley.upstream.calls import with_retries
from parley.upstream.failures import failure_told_by, require_success, retry_after
from parley.wire.transport import Upstream

DAY = 86_400
LATER, IN_HALF_A_DAY = datetime.now(UTC) + timedelta(days=0.5), pytest.approx(DAY / 2, rel=0.1)
UPSTREAM = Upstream(BaseUrl.parse("https://api.openai.com/v1"), KEY, Secrets(KEY))


def failure(status: int, error: object, model: str = "gpt-4o") -> errors.UpstreamError:
    """What a refusal with this error becomes, for a call of the model."""
    body = json.dumps({"error": error}).encode()
    answer = Mock(status=status, headers={}, request_id="", whole=lambda counted: body)
    with pytest.raises(errors.UpstreamError) as raised:
        require_success(answer, UPSTREAM, iter, model)
    return raised.value


def test_only_the_beginning_of_a_message_is_examined():
    """An upstream may send a megabyte of it. A call without a model lacks none."""
    assert type(failure(404, {"message": "No."}, "")) is errors.UpstreamRejected
    assert type(failure(404, {"message": "x " * 300 + "gpt-4o"})) is errors.ModelNotFound
    assert type(failure(404, {"message": "x " * 1200 + "gpt-4o"})) is errors.UpstreamRejected
    metrics = "Quota exceeded for metric: requests, limit: 0. " * 30
    assert type(failure(429, {"message": metrics + "Please retry in 5s."})) is errors.RateLimited


@pytest.mark.parametrize("key", ["error", "detail", "message"])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value]])
def test_a_reason_too_deep_is_none(key, wrap):
    """However deep it lies, looking for it ends; so does looking for a time to try again."""
    value = {"message": "quota", "code": 429}
    for _ in range(5000):
        value = {key: wrap(value)}
    assert type(failure_told_by(value, UPSTREAM)) is errors.UpstreamMalformed
    deep = {"message": "Out of quota.", "code": 429, "details": value}
    assert type(failure_told_by({"error": deep}, UPSTREAM)) is errors.QuotaExhausted


SAYS = "The upstream refused the request, saying"


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        *((status, "No.", f"{SAYS}: No.") for status in (199, 300)),
        (600, "No.", "The upstream failed, saying: No."),
        (400, "x" * 300, f"{SAYS}: {'x' * 300}"),
        (400, "x" * 301, f"{SAYS}: {'x' * 300}…"),
        (400, "", errors.UpstreamRejected.message),
        (400, None, errors.UpstreamRejected.message),
        (401, "No.", "The upstream refused the API key, saying: No."),
        (403, "No.", "The upstream does not allow this, saying: No."),
        (403, "<html></html>", errors.Forbidden.message),
        (404, "No gpt-4o.", f"{SAYS}: No gpt-4o."),
        (500, "No.", "The upstream failed, saying: No."),
        (504, "No.", "The upstream took too long, saying: No."),
    ],
)
def test_a_sentence_ends_with_the_upstreams_own_words(status, message, told):
    """300 characters are enough for a reason; without one the error's own sentence stands."""
    failed = failure(status, {"message": message})
    assert (failed.message, failed.upstream_status) == (told, status)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "20", "retry-after": "7"}, 0.02),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": "7"}, None),  # It comes with each answer, and counts at a limit.
        ({"retry-after": "2s"}, 2),
        ({"retry-after": "1m30s"}, 90),
        ({"x-ms-retry-after-ms": "20", "retry-after": "7"}, 0.02),
        ({"retry-after": "86401"}, DAY),
        ({"retry-after-ms": "1e300"}, DAY),
        ({"retry-after": "Mon, 01 Jan 99999999999 00:00:00 GMT"}, None),
        ({"retry-after": "Fri, 01 Jan 9999 00:00:00 GMT"}, DAY),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:00 -0000"}, 0),
        ({"retry-after": f"{LATER.timestamp():.0f}"}, IN_HALF_A_DAY),
        # A date is seconds from now (RFC 9110, 10.2.3).
        ({"retry-after": format_datetime(LATER, usegmt=True)}, IN_HALF_A_DAY),
    ],
    ids=str,
)
def test_how_long_to_wait_is_read_as_openais_sdk_does(headers, seconds):
    """Milliseconds, seconds, or a date: never less than nothing, never more than a day."""
    assert retry_after(headers, None, None) == seconds


ASKED = [
    (578.016, ["Used 97050, Requested 3619. Please try again in 9m38.016s. Need more?"]),
    (0.02, ["Please try again in 20ms."]),
    (59, ["Please retry after 59 seconds, or ask for more."]),
    (3900, ["Wait 1 hour and 5 minutes"]),
    (DAY, ["Your quota resets in 2 days."]),
    (120, ["Wait two minutes, or ask for a day pass."]),
    (30, ["请在30秒后重试", "等待 30 秒", "30秒後に", "30秒お待ち", "30초 후에"]),
    (3600, ["Try again in an hour.", "1个小时后", "60分钟后", "1時間後", "1시간 후"]),
    (None, ["每30秒3次", "12月1日后", "30 秒内", "In a moment, wait, or in a few minutes."]),
    (None, ["Try again in 3 more steps.", "Try again later: 30 requests a minute, 5s each."]),
    (None, ["30 requests took 5s.", "Available: 8 H100 GPUs.", "Available: 2 m4 chips."]),
    (None, [f"Available: {count}." for count in ("1M tokens", "4 M tokens", "until 30 Dec")]),
    (None, [{"retry_count": 2}]),
    (20, [{"estimated_time": 20.0}]),
    (26, [{"details": [{"retryDelay": "26s"}]}]),
    (0.45, [{"metadata": {"raw": '{"retry_after_ms": 450}'}}]),
    (179.5, [{"x-ratelimit-reset-requests": "2m59.5s"}]),
    (7, [{"resets_at": 1764500000, "message": "Try again in 7s."}]),
    (None, [{"retryAfter": "00:00:30"}]),  # How .NET writes half a minute.
    (IN_HALF_A_DAY, [f"It resets at {LATER:%Y-%m-%dT%H:%M:%S.%fZ}."]),
    (
        IN_HALF_A_DAY,
        [f"It resets on {LATER:%Y-%m-%d %H:%M} UTC.", f"Wait until {LATER:%H:%M} UTC."],
    ),
    (IN_HALF_A_DAY, [f"Wait until {LATER:%d %b %Y %T} GMT.", f"Reset at {LATER.timestamp():.0f}."]),
    (IN_HALF_A_DAY, [{"reset_at": f"{LATER:%FT%T}+00:00"}, {"retry_at": LATER.timestamp()}]),
    (IN_HALF_A_DAY, [{"X-RateLimit-Reset": f"{1000 * LATER.timestamp():.0f}"}]),
]


@pytest.mark.parametrize(
    ("error", "seconds"), [(each, seconds) for seconds, errors in ASKED for each in errors], ids=str
)
def test_how_long_to_wait_is_read_from_words_and_fields(error, seconds):
    """Where no header says it: as a time or a moment to come, and never a count or a limit."""
    assert failure(503, error).retry_after == seconds


@pytest.fixture
def clock(monkeypatch) -> Mock:
    """A clock that begins at 1000, and every wait on it."""
    clock = Mock(now=1000.0, slept=[])

    def sleep(seconds: float) -> None:
        clock.slept.append(seconds)
        clock.now += seconds

    ours = Mock(monotonic=lambda: clock.now, sleep=sleep)
    for module in ("deadline", "upstream.calls"):  # Whoever else waits has the real one.
        monkeypatch.setattr(f"parley.{module}.time", ours)
    return clock


def tries(clock: Mock, seconds: float, *errors: Exception, longest_wait: float = math.inf) -> int:
    """How often a call is made that takes `seconds` and fails in these ways, with 10 s in all."""
    left = iter(errors)

    def call(_: int) -> None:
        clock.now += seconds
        raise next(left)

    with pytest.raises(type(errors[0])) as raised:
        with_retries(call, Deadline(clock.now + 10, longest_wait=longest_wait))
    return errors.index(raised.value) + 1


@pytest.mark.parametrize(
    ("seconds", "wait", "longest_wait", "made"),
    [
        (0, 0, math.inf, 3),
        (2, 0, math.inf, 3),
        (3.4, 0, math.inf, 2),
        (5, 0, math.inf, 1),
        (1, 3, math.inf, 3),  # The waits are no part of how long a try takes.
        (1, 7.9, math.inf, 2),
        (1, 8, math.inf, 1),
        (0, 3, 5, 3),
        (0, 6, 5, 1),
    ],
)
def test_a_call_is_tried_again_where_the_wait_and_as_long_a_try_fit(
    clock, seconds, wait, longest_wait, made
):
    """Three times at most, nor after a longer wait than a stream's silence may be."""
    errors = [RateLimited(retry=True, retry_after=wait) for _ in range(4)]
    assert tries(clock, seconds, *errors, longest_wait=longest_wait) == made
    assert clock.slept == pytest.approx([wait] * (made - 1) if wait else [])


def test_without_a_word_of_the_upstream_the_waits_grow(clock):
    """Half a second, then twice that, each up to a quarter longer."""
    waits = set()
    for _ in range(50):
        clock.slept.clear()
        assert tries(clock, 0, *(UpstreamUnavailable() for _ in range(3))) == 3
        first, second = clock.slept
        assert 0.5 <= first <= 0.625
        assert 1 <= second <= 1.25
        waits.add(first)
    assert len(waits) > 1, "all callers would return at once"


@pytest.mark.parametrize(
    "error",
    [UpstreamMalformed(), UpstreamUnavailable(retry=False), ValueError("ours")],
    ids=["not worth it", "told not to", "not the upstream's"],
)
def test_any_other_failure_is_final(clock, error):
    assert tries(clock, 0, error) == 1


def test_what_works_at_last_is_returned(clock):
    answers = iter([StaleConnection(), RateLimited(retry=True, retry_after=0.25), None])

    def call(_: int) -> str:
        if error := next(answers):
            raise error
        return "answer"

    assert with_retries(call, Deadline(clock.now + 10)) == "answer"
    assert clock.slept[-1] == pytest.approx(0.25)
    assert sum(clock.slept) == pytest.approx(0.25)  # None after a stale connection.
