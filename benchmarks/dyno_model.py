"""A dyno as a queue: conversations wait for the upstream together, and for a worker one by one.

A worker is a gevent loop, and this is what the model keeps of it. A turn of the loop accepts at
most one connection (`max_accept` in `parley/web/worker.py`), and computes a slice for every
conversation that does not wait for the upstream, because each operation on a socket lets the others
run. So all get on alike, however long one computes. Connections wait in one queue of the kernel,
and the worker whose turn begins first takes the next.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import simpy

SLICE_SECONDS = 0.0003
"""What a conversation computes in a turn, short beside the 1 to 3 ms between two of its waits.

A real one lets the others run more often, every 0.1 to 0.2 ms, but not evenly. With half of this
the mean wait is a sixth longer, with twice of it a tenth shorter.
"""

TINY = 1e-9

Steps = list[tuple[float, float]]
"""A conversation: seconds that it computes, and then waits for the upstream, again and again."""


@dataclass(frozen=True)
class Dyno:
    """What a dyno has.

    `cores` are shared by its workers, each `core` times as fast as those that the steps were
    measured on; `capacity` is the slots of one worker.
    """

    workers: int = 2
    cores: int = 2
    core: float = 1.0
    capacity: float = math.inf


@dataclass(frozen=True)
class Overheads:
    """Seconds of processor time beside those of a conversation's steps."""

    wake: float = 0.0
    """For a worker that slept until something happened."""
    refusal: float = 0.0
    """For a 503, the caller's upload drained."""
    favour: float = 0.0
    """Of connections that find several workers asleep, the share that one worker takes always;
    chance gives the others to any of them."""


@dataclass
class Outcome:
    """A conversation: when it came, and how long it took, of which it waited for the upstream."""

    arrived: float
    waited: float
    whole: float = math.nan
    refused: bool = False

    @property
    def added(self) -> float:
        """Seconds that the service added to the upstream's."""
        return self.whole - self.waited


@dataclass
class Result:
    """What happened until the last conversation ended."""

    outcomes: list[Outcome] = field(default_factory=list)
    computed: float = 0.0
    """Seconds that cores were busy."""
    wakes: int = 0
    """How often a worker was woken."""
    in_flight: int = 0
    """The most that were in flight at once."""

    @property
    def arriving(self) -> float:
        """Seconds in which callers came."""
        return self.outcomes[-1].arrived


class _Task:
    """What one conversation has to compute, until `done`."""

    def __init__(self, env: simpy.Environment, seconds: float) -> None:
        self.left = seconds
        self.done = env.event()


class _Simulation:
    """A run: the kernel's queue, the cores, and what is counted."""

    def __init__(self, dyno: Dyno, overheads: Overheads, rng: random.Random) -> None:
        self.env = simpy.Environment()
        self.dyno, self.overheads, self.rng = dyno, overheads, rng
        self.cores = simpy.Resource(self.env, dyno.cores)
        self.connections: deque[tuple[Outcome, Steps]] = deque()
        self.workers = [_Worker(self) for _ in range(dyno.workers)]
        self.result = Result()

    def arrive(self, arrivals: Iterable[float], steps: Callable[[], Steps]) -> Generator:
        """Have callers connect at these times."""
        for moment in arrivals:
            yield self.env.timeout(moment - self.env.now)
            conversation = steps()
            outcome = Outcome(moment, sum(wait for _, wait in conversation))
            self.result.outcomes.append(outcome)
            self.connections.append((outcome, conversation))
            if idle := [worker for worker in self.workers if worker.idle]:
                favoured = self.rng.random() < self.overheads.favour
                (idle[0] if favoured else self.rng.choice(idle)).ring()


class _Worker:
    """A gevent loop, as the module's docstring tells."""

    def __init__(self, run: _Simulation) -> None:
        self.run, self.env = run, run.env
        self.ready: list[_Task] = []
        self.tasks: list[_Task] = []
        self.held = 0
        self.bell: simpy.Event | None = None
        self.env.process(self.loop())

    @property
    def idle(self) -> bool:
        """Whether it sleeps until something happens."""
        return self.bell is not None

    def ring(self) -> None:
        """Wake it, if it sleeps."""
        if self.bell:
            self.bell.succeed()
            self.bell = None

    def loop(self) -> Generator:
        while True:
            if not (self.tasks or self.ready or self.run.connections):
                self.bell = self.env.event()
                yield self.bell
                self.run.result.wakes += 1
                yield from self.compute(self.run.overheads.wake)
            if self.run.connections:
                self.env.process(self.converse(*self.run.connections.popleft()))
                yield self.env.timeout(0)  # Lets it bring its first task.
            self.tasks += self.ready
            self.ready = []
            yield from self.turn()

    def turn(self) -> Generator:
        """Compute a slice for each task, but no more than the shortest needs."""
        if not self.tasks:
            return
        each = min(SLICE_SECONDS, *(task.left for task in self.tasks))
        yield from self.compute(each * len(self.tasks))
        for task in self.tasks:
            task.left -= each
            if task.left <= TINY:
                task.done.succeed()
        self.tasks = [task for task in self.tasks if task.left > TINY]

    def compute(self, seconds: float) -> Generator:
        """Have a core for what takes that long on one of speed 1."""
        took = seconds / self.run.dyno.core
        self.run.result.computed += took
        if self.run.dyno.cores >= self.run.dyno.workers:
            yield self.env.timeout(took)
            return
        with self.run.cores.request() as core:
            yield core
            yield self.env.timeout(took)

    def task(self, seconds: float) -> simpy.Event:
        """What is over once this worker has computed for that long."""
        task = _Task(self.env, seconds)
        self.ready.append(task)
        self.ring()
        return task.done

    def converse(self, outcome: Outcome, steps: Steps) -> Generator[simpy.Event, Any, None]:
        """A conversation, once its connection is accepted."""
        outcome.refused = self.held >= self.run.dyno.capacity
        if outcome.refused:
            yield self.task(self.run.overheads.refusal)
        else:
            self.held += 1
            in_flight = sum(worker.held for worker in self.run.workers)
            self.run.result.in_flight = max(self.run.result.in_flight, in_flight)
            for computing, waiting in steps:
                yield self.task(computing)
                if waiting:
                    yield self.env.timeout(waiting)
            self.held -= 1
        outcome.whole = self.env.now - outcome.arrived


def simulate(
    dyno: Dyno,
    overheads: Overheads,
    arrivals: Iterable[float],
    steps: Callable[[], Steps],
    rng: random.Random,
) -> Result:
    """What a dyno does with callers who come at these times, in rising seconds from 0."""
    run = _Simulation(dyno, overheads, rng)
    run.env.process(run.arrive(arrivals, steps))
    run.env.run()
    return run.result


def poisson(a_second: float, count: int, rng: random.Random) -> list[float]:
    """The times of as many arrivals, which come at random and know nothing of one another."""
    moment, moments = 0.0, []
    for _ in range(count):
        moment += rng.expovariate(a_second)
        moments.append(moment)
    return moments
