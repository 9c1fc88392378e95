"""When a failed call is tried again: on a clock that only the calls and the waits move."""

import math
import threading
import time
from unittest.mock import Mock

import pytest

from parley.deadline import Deadline
from parley.errors import RateLimited, StaleConnection, UpstreamMalformed, UpstreamUnavailable
from parley.upstream.retries import with_retries


@pytest.fixture
def clock(monkeypatch) -> Mock:
    """A clock that begins at 1000, and every wait on it."""
    clock, thread = Mock(now=1000.0, slept=[]), threading.get_ident()

    def sleep(seconds: float) -> None:
        clock.slept.append(seconds)
        clock.now += seconds

    def here(on_the_clock, real):
        """A fake upstream of an earlier test may still wait in its thread, on the real clock."""

        def function(*seconds):
            return (on_the_clock if threading.get_ident() == thread else real)(*seconds)

        return function

    monkeypatch.setattr("time.monotonic", here(lambda: clock.now, time.monotonic))
    monkeypatch.setattr("time.sleep", here(sleep, time.sleep))
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
        (4, 0, math.inf, 2),
        (5, 0, math.inf, 1),
        (1, 3, math.inf, 3),  # The waits are no part of how long a try takes.
        (1, 3.6, math.inf, 2),
        (1, 7.9, math.inf, 2),
        (1, 8, math.inf, 1),
        (0, 9.9, math.inf, 2),
        (0, 86_400, math.inf, 1),
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
