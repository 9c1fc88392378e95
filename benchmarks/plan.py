"""How many dynos carry N conversations a minute, by the model of `dyno_model.py`.

    python benchmarks/plan.py --a-minute 600 --stt 0.5 --text 1.5 --tts 1.0

The router spreads callers over the dynos at random, so each dyno is a queue of its own with its
part of the callers, and one is simulated. costs.json holds what a conversation costs.
"""

import math
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import click

from costs import Costs, kept
from dyno_model import Dyno, Result, poisson, simulate
from report import quantile

SEED = 15
CONVERSATIONS, STREAMS = 20_000, 2_000
"""How many are simulated, unless told; a stream computes in many more pieces."""

P99_MS = 250.0
"""What callers hardly notice beside the seconds of the stages."""

BUSY = 0.75
"""About where the check ends; the rest is for dynos that fail and for sudden crowds."""


@dataclass(frozen=True)
class Load:
    """What is asked of all dynos together."""

    a_minute: float
    stages: tuple[float, ...]
    """Seconds of speech-to-text, text and text-to-speech."""
    spread: float = 0.0
    """Of each stage: its standard deviation, as a share of its mean."""
    streamed: bool = False


@dataclass(frozen=True)
class Limits:
    """What a dyno must keep, beside that it answers no 503."""

    p99_ms: float = P99_MS
    """The p99 of the time that the service adds."""
    busy: float = BUSY
    """The share of the cores' time."""
    in_flight: float = math.inf
    """How many requests the router sends a dyno at a time."""


@dataclass(frozen=True)
class Figures:
    """What one of `dynos` does, its start left out; times in ms."""

    dynos: int
    added: tuple[float, float]
    """Median and p99 of what the service adds to the stages."""
    whole: tuple[float, float]
    refused: float
    """The share of 503s."""
    busy: float
    """The share of the cores' time."""
    in_flight: int
    memory_mb: float

    def keeps(self, limits: Limits) -> bool:
        """Whether the dyno keeps within the limits."""
        return (
            not self.refused
            and self.added[1] <= limits.p99_ms
            and self.busy <= limits.busy
            and self.in_flight <= limits.in_flight
        )


def figures(
    load: Load, dyno: Dyno, dynos: int, costs: Costs, conversations: int | None = None
) -> Figures:
    """Simulate one of so many dynos, after the seconds in which it fills."""
    rng = random.Random(SEED)  # The same callers each time.
    rate = load.a_minute / 60 / dynos
    fills = 2 * sum(load.stages)
    counted = conversations or (STREAMS if load.streamed else CONVERSATIONS)
    count = counted + math.ceil(rate * fills)
    result = simulate(
        dyno,
        costs.overheads,
        poisson(rate, count, rng),
        lambda: costs.steps(load.stages, rng, spread=load.spread, streamed=load.streamed),
        rng,
    )
    return summary(result, dyno, dynos, costs, fills)


def summary(result: Result, dyno: Dyno, dynos: int, costs: Costs, fills: float) -> Figures:
    """The figures of a simulation, without those who came in its first `fills` seconds."""
    counted = [each for each in result.outcomes if each.arrived >= fills]
    answered = [each for each in counted if not each.refused]
    added, whole = (
        [1000 * getattr(each, name) for each in answered] for name in ("added", "whole")
    )
    return Figures(
        dynos,
        (statistics.median(added), quantile(added, 99)),
        (statistics.median(whole), quantile(whole, 99)),
        1 - len(answered) / len(counted),
        result.computed / result.arriving / dyno.cores,
        result.in_flight,
        costs.memory_mb(dyno.workers, result.in_flight),
    )


def least(
    load: Load, dyno: Dyno, limits: Limits, costs: Costs, conversations: int | None = None
) -> Figures:
    """The figures of the smallest number of dynos that keeps within the limits.

    Raises ValueError where no number does.
    """
    compute = load.a_minute / 60 * costs.busy_seconds(streamed=load.streamed)
    low = max(1, math.ceil(compute / (dyno.cores * dyno.core * limits.busy)))

    def fits(dynos: int) -> Figures | None:
        found = figures(load, dyno, dynos, costs, conversations)
        return found if found.keeps(limits) else None

    step, high = 1, low
    while not (found := fits(high)):
        if step == 1 and not figures(replace(load, a_minute=1), dyno, 1, costs, 500).keeps(limits):
            raise ValueError("Even one conversation a minute does not keep within the limits.")
        low, high, step = high + 1, high + step, 2 * step
    while low < high:
        middle = (low + high) // 2
        if better := fits(middle):
            found, high = better, middle
        else:
            low = middle + 1
    return found


HEADINGS = (
    *("dynos", "added, ms", "p99", "whole, s", "p99"),
    *("503s", "busy", "in flight", "MB"),
)


def cells(each: Figures) -> tuple[str, ...]:
    """A row of the table under HEADINGS."""
    return (
        f"{each.dynos:,}",
        *(f"{ms:.0f}" for ms in each.added),
        *(f"{ms / 1000:.2f}" for ms in each.whole),
        f"{each.refused:.1%}",
        f"{each.busy:.0%}",
        f"{each.in_flight:,}",
        f"{each.memory_mb:.0f}",
    )


POSITIVE = click.FloatRange(min=0, min_open=True)
NATURAL = click.IntRange(min=1)


def option(name: str, kind: click.ParamType, default: float, what: str) -> Callable:
    """An option of `main`, with the default in its help."""
    return click.option(name, type=kind, default=default, show_default=True, help=what)


@click.command()
@click.option("--a-minute", type=POSITIVE, required=True, help="Conversations a minute, at random.")
@option("--stt", POSITIVE, 0.5, "Seconds of speech-to-text.")
@option("--text", POSITIVE, 1.5, "Seconds of the chat's reply.")
@option("--tts", POSITIVE, 1.0, "Seconds of text-to-speech.")
@option("--spread", click.FloatRange(min=0), 0.3, "Standard deviation of a stage / its mean.")
@option("--workers", NATURAL, 2, "Workers of a dyno.")
@click.option("--cores", type=NATURAL, help="Cores they share.  [default: one for each worker]")
@option("--core", POSITIVE, 1.0, "Speed or share of a core, in cores.")
@option("--capacity", NATURAL, 1000, "PARLEY_CAPACITY: a worker's slots.")
@click.option("--streamed", is_flag=True, help="Accept: text/event-stream.")
@option("--p99", POSITIVE, P99_MS, "Most p99 of the added ms.")
@option("--busy", POSITIVE, BUSY, "Most of the cores' time.")
@click.option("--router", default=math.inf, help="Requests that the router sends a dyno at a time.")
def main(  # One for each option.
    *,
    a_minute: float,
    stt: float,
    text: float,
    tts: float,
    spread: float,
    workers: int,
    cores: int | None,
    core: float,
    capacity: int,
    streamed: bool,
    p99: float,
    busy: float,
    router: float,
) -> None:
    """Say how many dynos answer without 503s and within bounds.

    The table has the least number of dynos that do so (*), and one less and one more. "added" is
    what the service adds to the three stages, "whole" the whole answer (the median of each, and its
    p99), "busy" the share of the cores' time, "in flight" the most at a time in one dyno, and "MB"
    its memory then.
    """
    load = Load(a_minute, (stt, text, tts), spread, streamed)
    dyno, costs = Dyno(workers, cores or workers, core, capacity), kept()
    limits = Limits(p99, busy, router)
    click.echo("".join(f"{heading:>11}" for heading in HEADINGS))
    try:
        found = least(load, dyno, limits, costs)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for dynos in range(max(1, found.dynos - 1), found.dynos + 2):
        row = found if dynos == found.dynos else figures(load, dyno, dynos, costs)
        mark = " *" if row is found else ""
        click.echo("".join(f"{cell:>11}" for cell in cells(row)) + mark)


if __name__ == "__main__":
    main()
