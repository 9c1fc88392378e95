"""The time by which work must end, what ends a wait at that time, and turns for others."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import gevent

from parley.errors import DeadlineExceeded


@dataclass
class Deadline:
    """When work must end, and what to raise then. All who work for one conversation share one."""

    moment: float  # The end of it all, in seconds of the monotonic clock.
    error: Callable[[], Exception] = DeadlineExceeded
    longest_wait: float = math.inf  # How many seconds may pass in a single wait, without a byte.

    @classmethod
    def after(cls, seconds: float, error: Callable[[], Exception] = DeadlineExceeded) -> "Deadline":
        """All waits together, and so each of them, may take that many seconds from now on."""
        return cls(time.monotonic() + seconds, error, seconds)

    def extend(self, seconds: float) -> None:
        """Move the moment to that many seconds from now; the longest wait stays what it is."""
        self.moment = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """How many seconds a single wait that begins now may take; none where it is negative."""
        return min(self.moment - time.monotonic(), self.longest_wait)

    def require_time(self) -> float:
        """Raise `error` if no time is left; else, how many seconds the next wait may take."""
        if (seconds := self.seconds_left()) <= 0:
            raise self.error()
        return seconds

    def wait(self) -> "_Wait":
        """A block that ends wherever it waits for too long. Raises as `require_time` does.

        Within it the end is a BaseException, which no library takes for its own. No `yield` may
        stand in it: whoever asks the generator for more would be ended instead.
        """
        return _Wait(self)

    def sleep(self, seconds: float) -> None:
        """Wait; raises as `require_time` does, as soon as the deadline has passed."""
        if seconds > 0:
            with self.wait():
                time.sleep(seconds)


class _Wait(gevent.Timeout):  # type: ignore[misc]  # gevent's is not typed.
    def __init__(self, deadline: Deadline) -> None:
        super().__init__(deadline.require_time())
        self._error = deadline.error

    def __exit__(self, _: object, raised: object, __: object) -> None:
        self.close()
        if raised is self:
            raise self._error() from None


def let_others_run() -> None:
    """Let other greenlets run, and gevent look at all sockets and timers."""
    time.sleep(1e-9)  # After `sleep(0)` it may run the same few greenlets for long before it looks.
