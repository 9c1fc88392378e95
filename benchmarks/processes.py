"""What a process and its children use: memory and processor time, as Linux's /proc tells it."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SETTLE_SECONDS = 30


def tree_of(pid: int) -> list[int]:
    """A process and all its descendants that live."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # It has just ended.
        return []
    return [pid, *(descendant for child in children for descendant in tree_of(int(child)))]


def pss(*pids: int) -> float:
    """The proportional set size of these processes, in MB (of 1,048,576 bytes)."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1])
        except OSError:
            continue
    return total / 1024


def processor_seconds(pid: int) -> float:
    """The processor time that a process and its descendants have used, the ended ones too."""
    ticks = 0
    for member in tree_of(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))  # Its own, and that of children that it waited for.
    return ticks / os.sysconf("SC_CLK_TCK")


def settle(pid: int) -> None:
    """Wait until a process tree has imported what it needs, and has nothing more to do."""
    deadline = time.monotonic() + SETTLE_SECONDS
    used = -1.0
    while time.monotonic() < deadline:
        before, used = used, processor_seconds(pid)
        if used - before <= 0.02:
            return
        time.sleep(0.5)
    print(f"A server is still busy {SETTLE_SECONDS} s after its start; its figures show that.")


@contextmanager
def watched(pid: int) -> Iterator[list[float]]:
    """The memory of a process tree, sampled; its peak is the list's maximum."""
    samples: list[float] = []
    with _repeated(lambda: samples.append(pss(*tree_of(pid)))):
        yield samples


@contextmanager
def newcomers(pid: int) -> Iterator[set[int]]:
    """The processes that join a process tree, such as workers in the place of others."""
    known, joined = {*tree_of(pid)}, set()
    with _repeated(lambda: joined.update({*tree_of(pid)} - known)):
        yield joined


@contextmanager
def _repeated(look: Callable[[], None]) -> Iterator[None]:
    """Look ten times a second, and at least once."""
    look()
    over = threading.Event()

    def looking() -> None:
        while not over.wait(0.1):
            look()

    thread = threading.Thread(target=looking)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
