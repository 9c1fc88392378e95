"""Seconds from a start to the first answer, and how much slower the first conversation is."""

import statistics
import time
from functools import partial

from callers import repeatedly
from comparison.record import Record
from comparison.turns import measured, taken, together
from servers import SERVICES, upstream

WARM = 10


def measure(record: Record, turns: int) -> None:
    """One worker each; a start before the turns has the files read and compiled."""
    with upstream(0) as url:
        for turn, service in taken("starts", SERVICES, turns, warm=True):
            begun = time.monotonic()
            with together(record, [service], url, settled=False) as started:
                start = time.monotonic() - begun
                for each in started:
                    load = partial(repeatedly, callers=1, times=1 + WARM, kind=service.kind)
                    answered, _ = measured(record, each, "after a start", load)
                    if turn and len(answered) == 1 + WARM:
                        first, *warm = (1000 * outcome.seconds for outcome in answered)
                        cold = first - statistics.median(warm)
                        record.add(each.name, start=start, cold=cold)
