"""Until when work may go on."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from parley.errors import DeadlineExceeded


@dataclass(frozen=True)
class Deadline:
    """A moment of the monotonic clock, in seconds, and what to raise once it has passed.

    `silence` is the longest single wait before it: the longest time without a byte.
    """

    moment: float
    error: Callable[[], Exception] = DeadlineExceeded
    silence: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """How many seconds the next wait may take, more than none; raise `error` where none."""
        seconds = min(self.moment - time.monotonic(), self.silence)
        if seconds <= 0:
            raise self.error()
        return seconds

    def within(self, seconds: float, error: Callable[[], Exception]) -> "Deadline":
        """The same deadline, or the one that many seconds from now with its own error if sooner."""
        sooner = time.monotonic() + seconds
        return self if self.moment <= sooner else replace(self, moment=sooner, error=error)
