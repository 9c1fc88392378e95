"""1,000 conversations in flight, upstream 3 s, two workers; then within a small dyno's limits."""

from collections.abc import Sequence
from functools import partial

from callers import Outcome, repeatedly
from comparison.record import Record
from comparison.turns import measured, taken, together
from processes import newcomers, pss, tree_of, watched
from report import quantile
from servers import SERVICES, THREADS, Service, upstream

SECONDS_A_STAGE = 1.0
IN_FLIGHT = 1000
FITTING_THREADS = 100
"""For each of two workers: what leaves room within 256 processes and threads."""


def measure(record: Record, turns: int) -> None:
    """Who answers, how late, and what it takes."""
    where = f"{IN_FLIGHT:,} in flight"
    with (
        upstream(SECONDS_A_STAGE) as url,
        together(record, SERVICES, url, workers=2) as services,
    ):
        for each in services:
            record.add(each.name, idle_pss=pss(*tree_of(each.pid)))
        for _, each in taken(where, services, turns):
            load = partial(repeatedly, callers=IN_FLIGHT, kind=each.service.kind)
            with watched(each.pid) as samples:
                answered, used = measured(record, each, where, load)
            record.add(
                each.name,
                crowd_answered=len(answered),
                crowd_p99=slowest(answered),
                crowd_processor=used,
                crowd_pss=max(samples),
            )


def measure_within_limits(record: Record, _: int) -> None:
    """The same once within 256 processes and threads, as they are and with threads that fit."""
    threaded = [service for service in SERVICES if service.threaded]
    with upstream(SECONDS_A_STAGE) as url:
        within_limits(record, url, "dyno", SERVICES, THREADS)
        within_limits(record, url, "fitting", threaded, FITTING_THREADS)


def within_limits(
    record: Record, url: str, key: str, services: Sequence[Service], threads: int
) -> None:
    where = "256 processes and threads" + (", 100 threads a worker" if key == "fitting" else "")
    for _, service in taken(where, services, 1):
        options = {"workers": 2, "small_dyno": True, "threads": threads}
        with together(record, [service], url, **options) as started:
            for each in started:
                load = partial(repeatedly, callers=IN_FLIGHT, kind=service.kind)
                with newcomers(each.pid) as joined:
                    answered, _ = measured(record, each, where, load)
                figures = {
                    f"{key}_answered": len(answered),
                    f"{key}_replaced": len(joined),
                    f"{key}_p99": slowest(answered),
                }
                record.add(each.name, **figures)


def slowest(answered: list[Outcome]) -> float | None:
    """The p99 in seconds of those that were answered."""
    return quantile([each.seconds for each in answered], 99) if len(answered) > 1 else None
