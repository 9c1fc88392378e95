"""Ours beside every alternative, in one run: `compare.py [TURNS]`, six by default.

A full run is written into docs/performance.md, and a quick look of fewer turns into build/.
"""

import resource
import sys
import time

from comparison import connections, crowds, documents, few, starts, streams, uploads
from comparison.goals import GOALS
from comparison.record import Record
from comparison.results import described, medians, save
from report import ROOT, draw, hold, measure, show
from servers import PARLEY, SERVICES

FULL = 6
MEASUREMENTS = (
    starts.measure,
    few.measure,
    crowds.measure,
    crowds.measure_within_limits,
    uploads.measure,
    streams.measure,
    connections.measure,
)


def tell(results: dict) -> None:
    """The table, what failed, and the goals, on the terminal."""
    for row in documents.cells(results):
        print(f"{row[0]:<58}" + "".join(f"{cell:>22}" for cell in row[1:]))
    for failure in documents.failures(results):
        print(f"! {failure}")
    known = medians(results)
    for goal in GOALS:
        if (figure := goal.figure(known)) is None:
            show(goal.name, "not measured")
        else:
            hold(goal.name, figure, goal.limit, goal.digits)
    hold("measurements in which Parley lost any", len(results["failures"].get(PARLEY.name, [])), 0)


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else FULL
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # The services inherit it.
    begun = time.monotonic()
    record = Record(service.name for service in SERVICES)
    path, picture = ROOT / "build" / "comparison.json", ROOT / "build" / "comparison.svg"
    for each in MEASUREMENTS:
        each(record, turns)
        results = described() | {
            "turns": turns,
            "minutes": round((time.monotonic() - begun) / 60),
            "services": record.services,
            "figures": record.figures,
            "failures": record.failures,
        }
        save(results, path)  # What there is, should a later one be stopped.
    if turns >= FULL:
        path = ROOT / "benchmarks" / "results" / "comparison.json"
        picture = ROOT / "docs" / "comparison.svg"
        save(results, path)
        documents.write(results, ROOT / "docs" / "performance.md")
    tell(results)
    show("minutes", results["minutes"])
    draw("draw.py", path, picture)


if __name__ == "__main__":
    measure(main)
