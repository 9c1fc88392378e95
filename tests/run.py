"""Run the tests in groups side by side, each in a process of its own.

`python tests/run.py test` runs what needs only installed packages, `python tests/run.py
test-system` the others; further arguments go to pytest. What is marked `alone` runs after the
groups, by itself. The exit status is 0 only if every process ran tests, and none failed. If it is
ended (SIGTERM, Ctrl-C), the groups end, too.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

# Modules that are compiled once serve every process, and each service that a test starts.
ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
PATCHED = ("-m", "gevent.monkey", "--module", "pytest")
# By command: how many groups, what runs each, which tests, and what these need. The system's tests
# look at the service from outside, and a browser's sound is timed by real threads.
KINDS = {
    "test": (
        6,
        PATCHED,
        "not (system or index or interop)",
        "need only installed Python packages.",
    ),
    "test-system": (
        *(3, ("-m", "pytest"), "system or index"),
        "need packages of Debian or npm, or a package index.",
    ),
}
WORDS = {"passed": "passed", "failures": "failed", "errors": "errors", "skipped": "skipped"}


def selections(kind: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Which round, what it is called, and which tests pytest is to run in it."""
    splits, _, marks, _ = KINDS[kind]
    for group in range(1, splits + 1):
        split = (f"--splits={splits}", f"--group={group}")
        yield 1, f"Group {group} of {splits}", ("-m", f"({marks}) and not alone", *split)
    yield 2, "What runs alone", ("-m", f"({marks}) and alone")


def result(name: str, log: Path, report: Path, status: int, seconds: float) -> Counter[str]:
    """Tell how a process ended, with its failures' tracebacks; what pytest counted in it."""
    counts: Counter[str] = Counter()
    if report.exists():
        [suite] = ElementTree.parse(report).getroot()  # noqa: S314  # pytest wrote it.
        counts.update({count: int(suite.get(count, 0)) for count in ("tests", *WORDS)})
    if status and not counts["failures"] + counts["errors"]:  # It died, or ran no test.
        counts.update(tests=1, errors=1)
    said = log.read_text(errors="replace")
    print(f"{name}: {counts['tests']} tests in {seconds:.0f} s, exit status {status}", flush=True)
    if status:  # The progress dots before, and the sums after, are left out.
        print(said[max(said.find("\n==="), 0) :].rpartition("\n")[0], flush=True)
    return counts


@contextmanager
def ended_with(running: Collection[Popen]) -> Iterator[None]:
    """A block that does not end before the processes do; SIGTERM ends them as Ctrl-C does."""

    def end(*_: object) -> None:
        for process in running:
            process.send_signal(signal.SIGINT)  # pytest then tears down; SIGTERM would kill it.
        sys.exit("The tests were ended.")

    signal.signal(signal.SIGTERM, end)
    # A shell has what it starts in the background ignore this, and so would the processes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for process in running:
            process.wait()


def main(kind: str, *options: str) -> int:
    """Run the tests of a kind; the exit status."""
    print(f"Running the tests in {KINDS[kind][0]} groups side by side", flush=True)
    began, total, failed = time.monotonic(), Counter(), 0
    running: dict[Popen, tuple[str, Path, Path]] = {}
    with TemporaryDirectory() as folder, ended_with(running):
        for _, round_ in groupby(selections(kind), key=lambda selection: selection[0]):
            for _, name, selection in round_:
                log, report = (Path(folder, f"{name}.{end}") for end in ("log", "xml"))
                command = [sys.executable, *KINDS[kind][1], "-q", "-p", "no:cacheprovider"]
                command += [f"--junit-xml={report}", *selection, *options]
                with log.open("wb") as output:
                    process = Popen(
                        command, env=ENVIRONMENT, stdin=DEVNULL, stdout=output, stderr=STDOUT
                    )
                running[process] = name, log, report
            while running:
                for process in [process for process in running if process.poll() is not None]:
                    seconds = time.monotonic() - began
                    total += result(*running.pop(process), process.returncode, seconds)
                    failed += process.returncode != 0
                time.sleep(0.1)
    [other] = set(KINDS) - {kind}
    print(f"Not run here, but by `make {other}`: the tests that {KINDS[other][-1]}")
    total["passed"] = total["tests"] - sum(total[count] for count in list(WORDS)[1:])
    sums = [f"{total[count]} {word}" for count, word in WORDS.items() if total[count]]
    print(f"==== {', '.join(sums) or 'no tests ran'} in {time.monotonic() - began:.2f}s ====")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
