"""What two workers on one core add, as busy as docs/scaling.md's formulas allow.

The processor time of a conversation is measured at a low rate. The first formula makes it the rate
that keeps three quarters of a core busy, and the second the memory for what is then in flight. The
callers and the upstream run on the other cores, so that nothing is taken from what is measured.
"""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass

from callers import Outcome, converse, lost, problems
from processes import processor_seconds, pss, tree_of, watched
from report import hold, measure, quantile, show
from servers import PARLEY, serving, upstream

UPSTREAM_SECONDS = 3.0
LIGHT_RATE, SECONDS = 20, 15
BUSY = 0.75
IN_FLIGHT_KB = 279
"""As docs/scaling.md has it."""


@dataclass(frozen=True)
class Load:
    """What callers at a steady rate met, and what it cost."""

    rate: float
    outcomes: list[Outcome]
    processor_seconds: float
    """Of one conversation."""
    busy: float
    """The share of a core."""
    megabytes: float
    """The peak of all processes' memory (PSS)."""


def steadily(port: int, pid: int, rate: float) -> Load:
    """Have callers come at a rate (a second) for SECONDS."""

    async def come() -> list[Outcome]:
        tasks = []
        for number in range(round(rate * SECONDS)):
            await asyncio.sleep(begun + number / rate - time.monotonic())
            tasks.append(asyncio.create_task(converse(port)))
        return await asyncio.gather(*tasks)

    used, begun = processor_seconds(pid), time.monotonic()
    with watched(pid) as samples:
        outcomes = asyncio.run(come())
    used = processor_seconds(pid) - used
    return Load(rate, outcomes, used / len(outcomes), used / SECONDS, max(samples))


def keep_on_one_core(pid: int) -> None:
    """Leave one core to a service's processes, and the others, if there are any, to the rest."""
    first, *others = sorted(os.sched_getaffinity(0))
    for member in tree_of(pid):
        os.sched_setaffinity(member, {first})
    for member in set(tree_of(os.getpid())) - set(tree_of(pid)):
        os.sched_setaffinity(member, others or {first})


def main() -> None:
    with upstream(UPSTREAM_SECONDS / 3) as url, serving(PARLEY, url, workers=2) as (port, pid):
        keep_on_one_core(pid)
        idle = pss(*tree_of(pid))
        light = steadily(port, pid, LIGHT_RATE)
        full = steadily(port, pid, BUSY / light.processor_seconds)
    for load in (light, full):
        added = [1000 * (outcome.seconds - UPSTREAM_SECONDS) for outcome in load.outcomes]
        print(f"{load.rate:.0f} conversations a second for {SECONDS} s, upstream 3 s, one core")
        show("processor ms a conversation", f"{1000 * load.processor_seconds:.1f}")
        show("added, median, ms", f"{statistics.median(added):.0f}")
        if load is full:
            hold("added, p99, ms", quantile(added, 99), 250)
            hold("busy, share of the core", load.busy, BUSY * 1.2, 2)
            memory = idle + IN_FLIGHT_KB / 1024 * load.rate * statistics.mean(
                outcome.seconds for outcome in load.outcomes
            )
            hold("peak PSS, MB, beside the formula's", load.megabytes, memory * 1.2)
        hold(f"lost {problems(load.outcomes)}", lost(load.outcomes), 0)


if __name__ == "__main__":
    measure(main)
