"""The time by which work must end, and how to cancel work before that."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from parley.errors import DeadlineExceeded

SLICE_SECONDS = 0.25
"""How often a wait that can be cancelled checks whether it was."""

YIELD_SECONDS = 1e-9
"""How long to sleep to let other greenlets run; gevent looks at sockets and timers only if it is
more than 0."""


class Cancellation:
    """Ends the waits of every deadline that shares it; may be used from any greenlet or thread."""

    def __init__(self, look: Callable[[], None] | None = None) -> None:
        """Cancel nothing yet.

        Whoever waits calls `look` every SLICE_SECONDS, and what it raises ends the wait.
        """
        self._error: Callable[[], Exception] | None = None
        self._look, self._next_look = look, 0.0

    def cancel(self, error: Callable[[], Exception]) -> None:
        """Have every wait raise `error()` within SLICE_SECONDS; only the first call counts."""
        self._error = self._error or error

    def check(self) -> None:
        """Raise the error with which the work was cancelled, if it was, or what `look` raises."""
        if self._error:
            raise self._error()
        if self._look and (now := time.monotonic()) >= self._next_look:
            self._next_look = now + SLICE_SECONDS
            self._look()


@dataclass
class Deadline:
    """A moment of the monotonic clock, in seconds, and what to raise once it has passed.

    `silence` is the longest single wait before it, in seconds: the longest time without a byte.
    """

    moment: float
    error: Callable[[], Exception] = DeadlineExceeded
    silence: float = math.inf
    cancellation: Cancellation | None = None

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now, which no single wait can exceed either."""
        return cls(time.monotonic() + seconds, silence=seconds)

    def extend(self, seconds: float) -> None:
        """Move it to that many seconds from now; a single wait may be no longer than before."""
        self.moment = time.monotonic() + seconds

    def left(self) -> float:
        """How many seconds the next wait may take, always more than 0.

        Raises `error` if there are none left, or the error of the cancellation.
        """
        if self.cancellation:
            self.cancellation.check()
        seconds = min(self.moment - time.monotonic(), self.silence)
        if seconds <= 0:
            raise self.error()
        return seconds

    def slice(self) -> float:
        """How many seconds to wait before calling this again; raises as `left` does."""
        return min(self.left(), SLICE_SECONDS) if self.cancellation else self.left()

    def sleep(self, seconds: float) -> None:
        """Wait; raises as `left` does, as soon as the deadline has passed or is cancelled."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, self.slice()))

    def for_one_wait(self) -> "Deadline":
        """The deadline of a single wait that begins now: all its limits become one moment."""
        end = time.monotonic() + self.silence
        return self if self.moment <= end else replace(self, moment=end)

    def within(self, seconds: float, error: Callable[[], Exception]) -> "Deadline":
        """The same deadline, or the one that many seconds from now with its own error if sooner."""
        sooner = time.monotonic() + seconds
        return self if self.moment <= sooner else replace(self, moment=sooner, error=error)
