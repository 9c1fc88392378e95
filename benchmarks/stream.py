"""Streams: the first sound and the last, alone, 50 at once, and 300 within a small dyno's limits.

The upstream takes what a real one takes, and the reply has a hundred words.
"""

import asyncio
import os
import statistics

from answers import Kind
from callers import Outcome, lost, problems, repeatedly
from processes import processor_seconds, watched
from report import hold, measure, quantile, show
from servers import PARLEY, serving, upstream
from upstream import FLOOR_SECONDS

ALONE, CROWD, TURNS, MANY = 5, 50, 3, 300
RATIO_GOAL, LAST_GOAL, CROWD_GOAL, PROCESSOR_GOAL, PSS_GOAL = 1.10, 5.0, 1.8, 3.5, 512


def listen(port: int, kind: Kind = Kind.EVENTS, callers: int = 1, times: int = 1) -> list[Outcome]:
    return asyncio.run(repeatedly(port, callers, times, kind=kind, wanted=0))


def figures(name: str, heard: list[Outcome]) -> tuple[float, float]:
    """The medians of first and last sound, shown beside the slowest of each."""
    firsts, lasts = [h.first for h in heard], [h.seconds for h in heard]
    first, last = statistics.median(firsts), statistics.median(lasts)
    show(
        name,
        *(
            f"{first:.2f}",
            f"{quantile(firsts, 95):.2f}",
            f"{last:.2f}",
            f"{quantile(lasts, 95):.2f}",
        ),
    )
    hold(f"lost {problems(heard)}", lost(heard), 0)
    return first, last


def main() -> None:
    print(f"Streams of a hundred words; load average {os.getloadavg()[0]:.1f}")
    show("", "first, s", "p95", "last, s", "p95")
    with upstream() as url:
        with serving(PARLEY, url, workers=2) as (port, pid):
            listen(port)  # Warms up.
            first, last = figures("alone", listen(port, times=ALONE))
            figures("alone, as JSON", listen(port, Kind.JSON, times=ALONE))
            used = []
            for kind in (Kind.EVENTS, Kind.JSON):
                before = processor_seconds(pid)
                heard = [each for _ in range(TURNS) for each in listen(port, kind, CROWD)]
                used.append(1000 * (processor_seconds(pid) - before) / (CROWD * TURNS))
                name = f"{CROWD} at once" + ("" if kind is Kind.EVENTS else ", as JSON")
                crowd, _ = figures(name, heard)
                if kind is Kind.EVENTS:
                    first_of_crowd = crowd
        with (
            serving(PARLEY, url, workers=2, small_dyno=True) as (port, pid),
            watched(pid) as samples,
        ):
            figures(f"{MANY} at once, small dyno", listen(port, callers=MANY))
    show("floor of the first audio byte, s", f"{FLOOR_SECONDS:.2f}")
    hold("first audio byte alone / floor", first / FLOOR_SECONDS, RATIO_GOAL, 2)
    hold("last byte alone, s", last, LAST_GOAL, 2)
    hold(f"first audio byte, median of {CROWD}, s", first_of_crowd, CROWD_GOAL, 2)
    show("processor ms a stream and a JSON answer", *(f"{each:.1f}" for each in used))
    hold("processor, a stream / a JSON answer", used[0] / used[1], PROCESSOR_GOAL, 2)
    hold(f"peak PSS with {MANY} at once, MB", max(samples), PSS_GOAL)


if __name__ == "__main__":
    measure(main)
