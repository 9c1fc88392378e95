"""When a failed call is worth another try, and after how long."""

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity import wait_exponential_jitter as exponential
from tenacity.stop import stop_base

from parley.deadline import Deadline
from parley.errors import UpstreamError

TRIES = 3
BACKOFF = exponential(multiplier=0.5, max=8, jitter=0.25)
"""As OpenAI's own SDK: half a second, doubled each time, up to eight, with jitter."""

Result = TypeVar("Result")


def with_retries(call: Callable[[], Result], deadline: Deadline) -> Result:
    """What `call` returns, tried up to TRIES times where its UpstreamError says so.

    There is no other try where the wait and a try as long as the ones before do not fit in what is
    left; the last error is raised.
    """
    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, UpstreamError) and error.retry),
        wait=_wait,
        stop=stop_after_attempt(TRIES) | _NoTimeLeft(deadline),
        reraise=True,
    )
    return retrying(call)


class _NoTimeLeft(stop_base):
    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline

    def __call__(self, state: RetryCallState) -> bool:
        tried = (state.seconds_since_start or 0) - state.idle_for
        needed = state.upcoming_sleep + tried / state.attempt_number
        return time.monotonic() + needed >= self.deadline.moment


def _wait(state: RetryCallState) -> float:
    """As long as the upstream asks for, or else longer with every try."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, UpstreamError) and error.retry_after is not None:
        return error.retry_after
    return BACKOFF(state)
