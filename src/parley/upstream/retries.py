"""Whether a failed attempt is followed by another, and after how long."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from parley.deadline import Deadline
from parley.errors import StaleConnection, UpstreamError

BACKOFF = (0.5, 1.0)  # Seconds before the second and the last attempt, as in OpenAI's SDK.
JITTER = 0.25  # By which part a wait may be longer, so that a crowd does not return at once.
Result = TypeVar("Result")


def with_retries(attempt: Callable[[int], Result], deadline: Deadline) -> Result:
    """What `attempt` returns: it is made up to three times, and gets its number, from 1 on.

    Raises the last one's error. Another follows an UpstreamError with `retry`, if the wait, which
    the upstream may ask for, and an attempt of the usual length end before the deadline.
    """
    began, waited = time.monotonic(), 0.0
    for count, backoff in enumerate(BACKOFF, 1):
        try:
            return attempt(count)
        except UpstreamError as error:
            wait = 0.0 if isinstance(error, StaleConnection) else error.retry_after
            if wait is None:
                wait = backoff * random.uniform(1, 1 + JITTER)  # noqa: S311  # No secret.
            now = time.monotonic()
            usual = (now - began - waited) / count
            if not error.retry or now + wait + usual >= deadline.end_of_wait():
                raise
        deadline.sleep(wait)
        waited += wait
    return attempt(len(BACKOFF) + 1)
