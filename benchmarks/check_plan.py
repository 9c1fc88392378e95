"""The model of `plan.py` beside what two workers do: added time, its p99, and the share of 503s.

The two workers share a core, and the callers and the upstream have the others, so that nothing is
taken from what is measured. Callers come at random, whether or not others are answered, and the
model gets the same arrivals. Costs are measured in between. `--keep` writes them for `plan.py`.
"""

import asyncio
import gc
import os
import random
import statistics
import sys
import time
from dataclasses import dataclass, field, replace

from calibration import (
    DYNO,
    FIRST_CORE,
    STAGE_SECONDS,
    STAGES,
    Calibration,
    Service,
    come,
    two_workers,
)
from callers import Outcome
from costs import Costs
from dyno_model import poisson, simulate
from processes import machine_seconds, processor_seconds, pss, tree_of
from report import hold, measure, missed, quantile, show
from servers import upstream

ROUNDS, SECONDS = 3, 12
GOAL = 0.2
QUIET = 0.05
"""More other work than this makes waits longer than the model can know."""

CAPACITY = 8
"""Slots of each worker that is to refuse callers."""


@dataclass
class Case:
    """A rate at which callers come, and what became of them; times in ms."""

    name: str
    rate: float
    capacity: int
    arrivals: list[list[float]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    used: float = 0.0

    def turn(self, service: Service) -> None:
        """Have the callers come once."""
        rng = random.Random(f"{self.name} {len(self.arrivals)}")
        self.arrivals.append(poisson(self.rate, round(self.rate * SECONDS), rng))
        before = service.run()
        self.outcomes += asyncio.run(come(service.port, self.arrivals[-1]))
        self.used += service.run() - before

    def compare(self, costs: Costs, outside: float) -> None:
        """Show what was measured and what the model says, and hold the one to the other."""
        dyno, rng = replace(DYNO, capacity=self.capacity), random.Random(0)
        results = [
            simulate(dyno, costs.overheads, arrivals, lambda: costs.steps(STAGES, rng), rng)
            for arrivals in self.arrivals
        ]
        modelled = [outcome for result in results for outcome in result.outcomes]
        fixed = 3 * STAGE_SECONDS + outside
        added = [1000 * (each.seconds - fixed) for each in self.outcomes if not each.problem]
        expected = [1000 * each.added for each in modelled if not each.refused]
        refused = sum(each.problem.startswith("503") for each in self.outcomes)
        lost = sum(bool(each.problem) for each in self.outcomes) - refused
        print(f"{self.name}: {self.rate:.0f} a second, {len(self.outcomes)} conversations")
        show("", "measured", "modelled", "apart")
        compute = [1000 * self.used / len(self.outcomes)]
        compute += [1000 * sum(result.computed for result in results) / len(modelled)]
        show("processor ms a caller", *(f"{each:.2f}" for each in compute))
        apart("added, mean, ms", statistics.mean(added), statistics.mean(expected))
        apart("added, p99, ms", quantile(added, 99), quantile(expected, 99))
        share = [100 * refused / len(self.outcomes)]
        share += [100 * sum(each.refused for each in modelled) / len(modelled)]
        apart("503s, %", *share)
        hold("lost", lost, 0)


def apart(name: str, measured: float, modelled: float) -> None:
    """A row with both, and how far apart they are: at most GOAL, of what was measured."""
    share = abs(modelled - measured) / measured if measured else float(modelled > 0)
    show(
        name,
        f"{measured:.1f}",
        f"{modelled:.1f}",
        f"{share:.0%}",
        "" if share <= GOAL else "MISSED",
    )
    if share > GOAL:
        missed.append(name)


def keep_off(first: set[int], services: list[Service]) -> None:
    """Have this process and the upstreams run on other cores than the services, if possible."""
    served = {pid for service in services for pid in tree_of(service.pid)}
    if others := os.sched_getaffinity(0) - first:
        for pid in set(tree_of(os.getpid())) - served:
            os.sched_setaffinity(pid, others)


def measured() -> tuple[Calibration, list[Case]]:
    """Measure costs and cases in turns, so that what else the machine does falls on both."""
    with (
        upstream(STAGE_SECONDS) as url,
        upstream() as paced,
        two_workers(url) as ample,
        two_workers(url, CAPACITY) as small,
        two_workers(paced) as streaming,
    ):
        keep_off(FIRST_CORE, [ample, small, streaming])
        calibration = Calibration(pss(*tree_of(ample.pid)))
        calibration.measure_memory(ample)
        calibration.measure_streams(streaming)
        calibration.turn(ample, small, CAPACITY)
        crowd = calibration.forget_turns()
        cases = [
            (Case("Light", 0.25 / crowd, 1000), ample),
            (Case("Near saturation", 0.6 / crowd, 1000), ample),
            (Case("Over capacity", 1.5 * 2 * CAPACITY / sum(STAGES), CAPACITY), small),
        ]
        begun, before = time.monotonic(), machine_seconds() - processor_seconds(os.getpid())
        for number in range(ROUNDS):
            print(f"Round {number + 1} of {ROUNDS}", flush=True)
            calibration.turn(ample, small, CAPACITY)
            for case, service in cases:
                case.turn(service)
        other = machine_seconds() - processor_seconds(os.getpid()) - before
    share = other / (time.monotonic() - begun) / os.cpu_count()
    show("other work, of this machine's time", f"{share:.0%}", "TOO BUSY" if share > QUIET else "")
    return calibration, [case for case, _ in cases]


def main() -> None:
    gc.freeze()  # A full collection in this process would look like waiting.
    calibration, cases = measured()
    costs = calibration.costs()
    outside = calibration.outside(costs)
    print("Costs, processor time in ms")
    show("before, between, after the stages", *costs.parts_ms)
    show("their spread", costs.spread)
    show("to wake a worker, for a 503", costs.wake_ms, costs.refusal_ms)
    show("a stream at low load, in a crowd", *(f"{1000 * each:.1f}" for each in calibration.stream))
    show("connections that one worker takes always", f"{costs.favour:.0%}")
    show("beside what is modelled", f"{1000 * outside:.1f}")
    show("MB of two idle workers, KB for each in flight", costs.idle_mb, costs.in_flight_kb)
    for case in cases:
        case.compare(costs, outside)
    if "--keep" in sys.argv[1:]:
        costs.keep()


if __name__ == "__main__":
    measure(main)
