"""1,000 conversations in flight within a small dyno's limits, ours beside FastAPI's.

Two workers each, recordings of 100 KB, an upstream that takes 3 seconds; the two take turns.
"""

import asyncio
import time

from callers import Outcome, lost, problems, repeatedly
from processes import processor_seconds, watched
from report import hold, measure, quantile, show
from servers import FASTAPI, PARLEY, serving, upstream

UPSTREAM_SECONDS = 3.0
IN_FLIGHT, TIMES, TURNS = 1000, 2, 1
PSS_GOAL, PROCESSOR_GOAL = 384, 0.5


class Figures:
    """What a service did in its turns."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.processor = self.callers = self.wall = self.peak = 0.0

    def turn(self, port: int, pid: int) -> None:
        """Have the crowd come once."""
        begun, before = time.monotonic(), processor_seconds(pid)
        callers = time.process_time()
        with watched(pid) as samples:
            self.outcomes += asyncio.run(repeatedly(port, IN_FLIGHT, TIMES))
        self.callers += time.process_time() - callers
        self.wall += time.monotonic() - begun
        self.processor += processor_seconds(pid) - before
        self.peak = max(self.peak, *samples)

    @property
    def processor_ms(self) -> float:
        """Processor time of the whole tree for a conversation that was answered."""
        return 1000 * self.processor / max(1, len(self.outcomes) - lost(self.outcomes))


def main() -> None:
    services = (PARLEY, FASTAPI)
    figures = [Figures() for _ in services]
    with (
        upstream(UPSTREAM_SECONDS / 3) as url,
        serving(PARLEY, url, workers=2, small_dyno=True) as ours,
        serving(FASTAPI, url, workers=2, small_dyno=True) as theirs,
    ):
        for _ in range(TURNS):
            for each, (port, pid) in zip(figures, (ours, theirs), strict=True):
                each.turn(port, pid)
    print(f"{IN_FLIGHT} in flight, {TURNS * TIMES * IN_FLIGHT} conversations, upstream 3 s,")
    print("two workers, 256 processes and threads, 10,000 descriptors, not root")
    show("", *(service.name.split()[0] for service in services))
    times = [[outcome.seconds for outcome in each.outcomes] for each in figures]
    show("median, s", *(f"{quantile(each, 50):.2f}" for each in times))
    show("p99, s", *(f"{quantile(each, 99):.2f}" for each in times))
    show("processor ms a conversation", *(f"{each.processor_ms:.2f}" for each in figures))
    show("peak PSS, MB", *(f"{each.peak:.0f}" for each in figures))
    show("lost", *(lost(each.outcomes) for each in figures))
    show("callers' own share of a core", *(f"{each.callers / each.wall:.2f}" for each in figures))
    for service, each in zip(services, figures, strict=True):
        if lost(each.outcomes):
            print(f"  {service.name} lost {problems(each.outcomes)}")
    hold("lost by Parley", lost(figures[0].outcomes), 0)
    hold("peak PSS of Parley, MB", figures[0].peak, PSS_GOAL)
    ratio = figures[0].processor_ms / figures[1].processor_ms
    hold("processor / FastAPI's", ratio, PROCESSOR_GOAL, 2)


if __name__ == "__main__":
    measure(main)
