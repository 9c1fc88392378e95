"""Whether the process was told to stop, so that streams can end with an event instead of a cut.

`worker.py` says what becomes of connections then.
"""

import math
import time

FINISH_SECONDS = 4
"""How long before the end of the grace period a stream finishes."""


class Stopping:
    """The moment at which streams finish; there is none until the process is told to stop."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._moment = math.inf

    def begin(self, grace_seconds: float) -> None:
        """The process is told to stop, and killed after that many seconds."""
        self._moment = time.monotonic() + max(0.0, grace_seconds - FINISH_SECONDS)

    def is_due(self) -> bool:
        """Whether what still runs must finish now."""
        return time.monotonic() >= self._moment


stopping = Stopping()
"""The process's own."""
