"""Whether a failed call is tried again, and after how long."""

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
"""The waits of OpenAI's own SDK: 0.5 s, doubled for each try, up to 8 s, with jitter."""

Result = TypeVar("Result")


def with_retries(call: Callable[[], Result], deadline: Deadline) -> Result:
    """What `call` returns. A call that raises UpstreamError with `retry` is made again.

    It is made up to TRIES times, as long as the wait and another try of the usual length end before
    the deadline. Raises the last try's error.
    """
    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, UpstreamError) and error.retry),
        wait=_wait,
        stop=stop_after_attempt(TRIES) | _NoTimeLeft(deadline),
        sleep=deadline.sleep,
        reraise=True,
    )
    return retrying(call)


class _NoTimeLeft(stop_base):
    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline

    def __call__(self, state: RetryCallState) -> bool:
        tried = (state.seconds_since_start or 0) - state.idle_for
        needed = state.upcoming_sleep + tried / state.attempt_number
        return time.monotonic() + needed >= self.deadline.for_one_wait().moment


def _wait(state: RetryCallState) -> float:
    """Seconds before the next try: what the upstream asks for, or else BACKOFF."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, UpstreamError) and error.retry_after is not None:
        return error.retry_after
    return BACKOFF(state)
