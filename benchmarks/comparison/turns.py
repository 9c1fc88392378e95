"""How services take turns, so that what else the machine does falls on all of them."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from callers import Outcome
from comparison.record import Record
from processes import processor_seconds
from servers import PARLEY, DoesNotStart, Service, serving

PATIENCE = 100
"""Seconds in all, after which a slow service has no more than two turns at a measurement."""

BEGUN = time.monotonic()


@dataclass(frozen=True)
class Running:
    """A service that was started for a measurement."""

    service: Service
    port: int
    pid: int

    @property
    def name(self) -> str:
        """As the record has it."""
        return self.service.name


def progress(what: str) -> None:
    """A line for who waits."""
    print(f"[{time.monotonic() - BEGUN:5.0f} s] {what}", flush=True)


@contextmanager
def together(
    record: Record, services: Iterable[Service], url: str, **options: object
) -> Iterator[list[Running]]:
    """All the services that start, beside each other; a peer that does not is noted."""
    with ExitStack() as stack:
        running = []
        for service in services:
            try:
                port, pid = stack.enter_context(serving(service, url, **options))
            except DoesNotStart as error:
                if service is PARLEY:
                    raise
                record.fail(service.name, str(error).splitlines()[0])
            else:
                running.append(Running(service, port, pid))
        yield running


def taken(what: str, services: Sequence, turns: int, *, warm: bool = False) -> Iterator[tuple]:
    """Each turn's number and whose it is, another one first each time.

    With `warm`, there is a turn 0 before, which does not count.
    """
    seconds = [0.0] * len(services)
    for turn in range(0 if warm else 1, turns + 1):
        progress(f"{what}, turn {turn} of {turns}" if turn else f"{what}, warming up")
        order = range(len(services))
        for index in (*order[turn % len(services) :], *order[: turn % len(services)]):
            if turn > 2 and seconds[index] > PATIENCE:
                continue
            begun = time.monotonic()
            yield turn, services[index]
            seconds[index] += time.monotonic() - begun


def measured(
    record: Record,
    running: Running,
    where: str,
    load: Callable[[int], Coroutine[None, None, list[Outcome]]],
) -> tuple[list[Outcome], float | None]:
    """The conversations that were answered, and milliseconds of processor time for each of them.

    The processor time is that of the service's whole process tree.
    """
    before = processor_seconds(running.pid)
    outcomes = asyncio.run(load(running.port))
    used = processor_seconds(running.pid) - before
    answered = record.answered(running.name, where, outcomes)
    return answered, 1000 * used / len(answered) if answered else None
