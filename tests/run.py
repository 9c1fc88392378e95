"""Run the tests in groups side by side, each in a process of its own.

`python tests/run.py test` runs what needs only installed packages, `python tests/run.py
test-system` the others, and both words everything; options after them go to pytest. What is marked
`alone` runs after the groups, by itself. The exit status is 0 only if every process ran tests, and
none failed. If it is ended (SIGTERM, Ctrl-C), the groups end, too.

The groups are made of whole files, by how long each took when `--measure` was last among the
options: a process then imports its own files alone, and what a file shares is started once.
"""

import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, STDOUT, Popen
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
DURATIONS = ROOT / "tests" / "durations.json"
# Files that stay together: they share what takes long to start. The first that fits counts.
TOGETHER = ("tests/local_engine/test_engine", "tests/local_engine/")
# Modules that are compiled once serve every process, and each service that a test starts.
ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
WORDS = {"passed": "passed", "failures": "failed", "errors": "errors", "skipped": "skipped"}


class Kind(NamedTuple):
    """Tests that one command runs."""

    groups: int
    at_once: int
    """How many groups, where nothing else that this starts runs beside."""

    runner: tuple[str, ...]
    marks: str
    files: re.Pattern[str]
    """What a file's text has if it holds such tests; to import others only takes time."""

    needs: str
    measured: bool
    """Whether they count where coverage is measured, which makes them a third slower."""


# The system's tests look at the service from outside, and a browser's sound is timed by real
# threads, so that these are not patched.
KINDS = {
    "test": Kind(
        6,
        6,
        ("-m", "gevent.monkey", "--module", "pytest"),
        "not (system or index or interop)",
        re.compile(
            r"\A(?!.*^pytestmark = \[?\s*pytest\.mark\.(system|index|interop))", re.M | re.S
        ),
        "need only installed Python packages.",
        measured=True,
    ),
    "test-system": Kind(
        6,
        4,  # Browsers draw for as long as they wait, and slow each other down.
        # What hangs in a browser's driver would hang every test after it, too.
        ("-m", "pytest", "--timeout-method=thread"),
        "system or index",
        re.compile(r"mark\.(system|index)"),
        "need packages of Debian or npm, or a package index.",
        measured=False,
    ),
}


class Run(NamedTuple):
    """One process: the tests of a kind in some files."""

    kind: str
    name: str
    marks: str
    files: list[str]


def files(kind: str, mark: str = "") -> list[str]:
    """The files that may hold such tests, and among them some that have the mark."""
    found = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        text = file.read_text()
        if KINDS[kind].files.search(text) and mark in text:
            found.append(str(file.relative_to(ROOT)))
    return found


def groups(kind: str) -> list[list[str]]:
    """The files of each group, so that all groups take about as long."""
    durations = json.loads(DURATIONS.read_text())[kind]
    unknown = median(durations.values())
    units = defaultdict(list)
    for file in files(kind):
        units[next((shared for shared in TOGETHER if file.startswith(shared)), file)].append(file)
    costs = {unit: sum(durations.get(file, unknown) for file in units[unit]) for unit in units}
    filled: list[list[str]] = [[] for _ in range(KINDS[kind].groups)]
    sums = [0.0] * len(filled)
    for unit in sorted(units, key=costs.__getitem__, reverse=True):
        least = sums.index(min(sums))
        filled[least] += units[unit]
        sums[least] += costs[unit]
    return filled


def rounds(kinds: Collection[str]) -> Iterator[tuple[int, list[Run]]]:
    """How many may run at once, and which."""
    beside, alone = defaultdict(list), []
    for kind in kinds:
        marks = KINDS[kind].marks
        for number, chosen in enumerate(groups(kind), 1):
            name = f"Group {number} of {KINDS[kind].groups} of {kind}"
            beside[kind].append(Run(kind, name, f"({marks}) and not alone", chosen))
        if chosen := files(kind, "mark.alone"):  # pytest would take no files for all.
            alone.append(Run(kind, f"What runs alone of {kind}", f"({marks}) and alone", chosen))
    # The kinds in turn, so that fewer browsers run beside each other.
    mixed = [run for runs in zip_longest(*beside.values()) for run in runs if run]
    yield min((KINDS[kind].at_once for kind in kinds), default=1), mixed
    yield 1, alone


def start(run: Run, log: Path, report: Path, options: Collection[str]) -> Popen[bytes]:
    """Start a process; what it says goes to `log`, what it counts to `report`."""
    command = [sys.executable, *KINDS[run.kind].runner, "-q", "-p", "no:cacheprovider"]
    # This family names each test's file.
    command += ["-o", "junit_family=xunit1", f"--junit-xml={report}"]
    environment = ENVIRONMENT
    if not KINDS[run.kind].measured:
        environment = {k: v for k, v in ENVIRONMENT.items() if not k.startswith("COVERAGE_PROCESS")}
    with log.open("wb") as output:
        return Popen(
            [*command, "-m", run.marks, *options, *run.files],
            cwd=ROOT,
            env=environment,
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )


def result(run: Run, log: Path, report: Path, status: int, seconds: float) -> Counter[str]:
    """Tell how a process ended, with its failures' tracebacks; what pytest counted in it."""
    counts: Counter[str] = Counter()
    with suppress(FileNotFoundError, ElementTree.ParseError):  # It died, perhaps amid the report.
        [suite] = ElementTree.parse(report).getroot()  # noqa: S314  # pytest wrote it.
        counts.update({count: int(suite.get(count, 0)) for count in ("tests", *WORDS)})
    if status and not counts["failures"] + counts["errors"]:  # Or it ran no test.
        counts.update(tests=1, errors=1)
    said = log.read_text(errors="replace")
    print(f"{run.name}: {counts['tests']} tests, exit status {status}, {seconds:.0f} s", flush=True)
    if status:  # The progress dots before, and the sums after, are left out.
        print(said[max(said.find("\n==="), 0) :].rpartition("\n")[0], flush=True)
    return counts


@contextmanager
def ended_with(running: Collection[Popen[bytes]]) -> Iterator[None]:
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


def remember(kind: str, reports: Collection[Path]) -> None:
    """Write how long each file of the groups took."""
    durations: Counter[str] = Counter()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
            durations[case.get("file", "")] += float(case.get("time", 0))
    kept = json.loads(DURATIONS.read_text())
    kept[kind] = {file: round(seconds, 1) for file, seconds in sorted(durations.items())}
    DURATIONS.write_text(json.dumps(kept, indent=1) + "\n")


def main(*arguments: str) -> int:
    """Run the tests of some kinds; the exit status."""
    kinds = [argument for argument in arguments if argument in KINDS]
    options = [argument for argument in arguments if argument not in (*KINDS, "--measure")]
    if "--random-order" in options and "-seed" not in "".join(options):
        options.append(f"--random-order-seed={random.randrange(1_000_000)}")  # For all groups.
        print(f"In random order; to repeat it: {options[-1]}", flush=True)
    began, total, failed = time.monotonic(), Counter[str](), 0
    running: dict[Popen[bytes], tuple[Run, Path, Path]] = {}
    with TemporaryDirectory() as folder, ended_with(running):
        for at_once, waiting in rounds(kinds):
            if waiting:
                print(f"Running {len(waiting)} groups of tests, {at_once} at once", flush=True)
            while waiting or running:
                while waiting and len(running) < at_once:
                    run = waiting.pop(0)
                    log, report = (Path(folder, f"{run.name}.{end}") for end in ("log", "xml"))
                    running[start(run, log, report, options)] = run, log, report
                for process in [process for process in running if process.poll() is not None]:
                    seconds = time.monotonic() - began
                    total += result(*running.pop(process), process.returncode, seconds)
                    failed += process.returncode != 0
                time.sleep(0.1)
        if "--measure" in arguments:
            for kind in kinds:
                remember(kind, [*Path(folder).glob(f"Group*of {kind}.xml")])
    for other in set(KINDS) - {*kinds}:
        print(f"Not run here, but by `make {other}`: the tests that {KINDS[other].needs}")
    total["passed"] = total["tests"] - sum(total[count] for count in list(WORDS)[1:])
    sums = [f"{total[count]} {word}" for count, word in WORDS.items() if total[count]]
    print(f"==== {', '.join(sums) or 'no tests ran'} in {time.monotonic() - began:.2f}s ====")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
