"""Measures what a conversation costs two workers that share a core: lone, at low load, in a crowd.

The costs depend on the load: a worker that sleeps costs time to wake, and a busy one sleeps seldom.
In a crowd it hardly ever sleeps, so that what low load costs beside that is the waking.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from callers import Outcome, converse, lost, problems, repeatedly
from costs import Costs
from dyno_model import Dyno, Result, poisson, simulate
from listeners import Heard, listen
from processes import main_thread_seconds, tree_of, watched
from report import quantile
from servers import PARLEY, serving

STAGE_SECONDS = 0.3
STAGES = (STAGE_SECONDS,) * 3
DYNO = Dyno(workers=2, cores=1)
FIRST_CORE = {min(os.sched_getaffinity(0))}

LONE, LIGHT_SECONDS, LIGHT_RATE = 8, 10, 25
CROWD, TIMES = 100, 4
LARGE_CROWD = 400
REFUSED = 200
STREAMS, STREAM_RATE, MOST_PIECES = 40, 5, 60


@dataclass(frozen=True)
class Service:
    """Two workers on one core."""

    port: int
    pid: int
    workers: tuple[int, ...]

    def run(self) -> float:
        """Seconds that the workers have computed so far."""
        return sum(self.each())

    def each(self) -> list[float]:
        """The same for each of them."""
        return [main_thread_seconds(worker) for worker in self.workers]


@contextmanager
def two_workers(base_url: str, capacity: int = 1000) -> Iterator[Service]:
    """Two workers on the first core; whoever calls and their upstream should keep off it."""
    variables = {"PARLEY_CAPACITY": str(capacity)}
    with serving(PARLEY, base_url, workers=2, variables=variables) as (port, pid):
        workers = tuple(tree_of(pid)[-2:])
        for worker in workers:
            os.sched_setaffinity(worker, FIRST_CORE)
        yield Service(port, pid, workers)


async def come(port: int, arrivals: list[float]) -> list[Outcome]:
    """Callers who come at these times, in seconds from now, whether or not others are answered."""
    begun, tasks = time.monotonic(), []
    for moment in arrivals:
        await asyncio.sleep(begun + moment - time.monotonic())
        tasks.append(asyncio.create_task(converse(port)))
    return await asyncio.gather(*tasks)


@dataclass
class Calibration:
    """What was measured, turn by turn; times in seconds."""

    idle_mb: float
    in_flight_kb: float = 0.0
    stream: tuple[float, float] = (0.0, 0.0)
    """Of a stream at low load, and in a crowd."""
    lone: list[list[float]] = field(default_factory=list)
    light: list[float] = field(default_factory=list)
    favour: list[float] = field(default_factory=list)
    arrivals: list[list[float]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """Of the callers at low load."""
    crowd: list[float] = field(default_factory=list)
    refusal: list[float] = field(default_factory=list)

    def measure_memory(self, service: Service) -> None:
        """Measure a crowd's memory, on workers that were idle until now."""
        with watched(service.pid) as samples:
            outcomes = asyncio.run(repeatedly(service.port, LARGE_CROWD, 1))
        assert not lost(outcomes), problems(outcomes)
        self.in_flight_kb = 1024 * (max(samples) - self.idle_mb) / LARGE_CROWD

    def measure_streams(self, service: Service) -> None:
        """Measure streams, on workers behind an upstream at the pace of a real one."""
        asyncio.run(_listen(service.port, [0.0] * 4))  # Warms up.
        used = []
        for arrivals in ([number / STREAM_RATE for number in range(STREAMS)], [0.0] * STREAMS):
            before = service.run()
            heard = asyncio.run(_listen(service.port, arrivals))
            assert not lost(heard), problems(heard)
            used.append((service.run() - before) / STREAMS)
        self.stream = used[0], used[1]

    def turn(self, ample: Service, small: Service, capacity: int) -> None:
        """Measure the rest once; `small` has `capacity` slots in each worker."""
        self.lone += asyncio.run(_lone(ample))
        self._light(ample)
        self._crowd(ample)
        self._refusals(small, 2 * capacity)

    def forget_turns(self) -> float:
        """Forget the turns so far, which warmed up; a conversation's cost in a crowd."""
        crowd = self.crowd[-1]
        for samples in vars(self).values():
            if isinstance(samples, list):
                samples.clear()
        return crowd

    def _light(self, service: Service) -> None:
        rng = random.Random(len(self.light))
        self.arrivals.append(poisson(LIGHT_RATE, LIGHT_RATE * LIGHT_SECONDS, rng))
        before = service.each()
        outcomes = asyncio.run(come(service.port, self.arrivals[-1]))
        used = [after - earlier for earlier, after in zip(before, service.each(), strict=True)]
        assert not lost(outcomes), problems(outcomes)
        self.light.append(sum(used) / len(outcomes))
        self.favour.append(abs(used[0] - used[1]) / sum(used))
        self.times += [outcome.seconds for outcome in outcomes]

    def _crowd(self, service: Service) -> None:
        before = service.run()
        outcomes = asyncio.run(repeatedly(service.port, CROWD, TIMES))
        assert not lost(outcomes), problems(outcomes)
        self.crowd.append((service.run() - before) / len(outcomes))

    def _refusals(self, service: Service, slots: int) -> None:
        before = service.run()
        outcomes = asyncio.run(repeatedly(service.port, REFUSED + slots, 1))
        refused = lost(outcomes)
        answered = len(outcomes) - refused
        self.refusal.append((service.run() - before - answered * self.crowd[-1]) / refused)

    def costs(self) -> Costs:
        """The costs with which the model computes as much at low load and in a crowd."""
        crowd, light = statistics.median(self.crowd), statistics.median(self.light)
        lone = list(zip(*self.lone, strict=True))
        medians = [statistics.median(part) for part in lone]
        wake = max(0.0, light - crowd) / len(lone)
        for _ in range(3):  # How often workers are woken depends a little on what that costs.
            parts = [max(part - wake, 0.0) for part in medians]
            more = self.stream[0] - self.stream[1]
            costs = Costs(
                parts_ms=tuple(round(1000 * part * crowd / sum(parts), 3) for part in parts),
                wake_ms=round(1000 * wake, 3),
                refusal_ms=round(1000 * statistics.median(self.refusal), 3),
                spread=round(statistics.median(map(_spread, lone)), 2),
                favour=round(statistics.median(self.favour), 2),
                stream_ms=round(1000 * self.stream[1], 3),
                stream_pieces=max(1, min(round(more / wake), MOST_PIECES)) if wake else 1,
                idle_mb=round(self.idle_mb),
                in_flight_kb=round(self.in_flight_kb),
                measured=datetime.now(UTC).date().isoformat(),
            )
            wakes = sum(result.wakes for result in self._simulated(costs))
            wake = max(0.0, light - crowd) * sum(map(len, self.arrivals)) / wakes
        return costs

    def outside(self, costs: Costs) -> float:
        """Seconds that callers wait beside what is modelled: network, kernel, their own work."""
        results = self._simulated(costs)
        modelled = [outcome.whole for result in results for outcome in result.outcomes]
        return statistics.median(self.times) - statistics.median(modelled)

    def _simulated(self, costs: Costs) -> list[Result]:
        """What the model says of the callers at low load."""
        rng = random.Random(0)
        return [
            simulate(DYNO, costs.overheads, arrivals, lambda: costs.steps(STAGES, rng), rng)
            for arrivals in self.arrivals
        ]


def _spread(values: Sequence[float]) -> float:
    """The standard deviation as a share of the median, by the middle two thirds."""
    low, high = quantile(values, 17), quantile(values, 83)
    return (high - low) / 2 / statistics.median(values)


async def _listen(port: int, arrivals: list[float]) -> list[Heard]:
    """Have streams that begin at these times."""

    async def later(moment: float) -> Heard:
        await asyncio.sleep(moment)
        return await listen(port)

    return await asyncio.gather(*map(later, arrivals))


async def _lone(service: Service) -> list[list[float]]:
    """What each part of lone conversations computes, read while they wait for the upstream."""
    rows = []
    for _ in range(LONE):
        begun, readings = time.monotonic(), [service.run()]
        conversation = asyncio.create_task(converse(service.port))
        for number, stage in enumerate(STAGES):
            await asyncio.sleep(begun + (number + 0.6) * stage - time.monotonic())
            readings.append(service.run())
        outcome = await conversation
        assert not outcome.problem, outcome.problem
        await asyncio.sleep(0.05)
        readings.append(service.run())
        rows.append([after - before for before, after in pairwise(readings)])
    return rows
