"""How much of its machine a container may use, by Linux's control groups of either version.

Where the numbers are: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max, memory.max) and
https://docs.kernel.org/scheduler/sched-bwc.html with cgroup-v1/memory.html for the older one.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

MOST_WORKERS = 4
WORKER_BYTES = 128 * 1024 * 1024
"""The memory that a worker is given: full, it needs a half to two thirds of it, and then some."""


def workers(root: Path = Path("/"), cores: int | None = None) -> int:
    """How many worker processes fit: one for each core, if there is the memory for it; 1 to 4."""
    cores = cores or len(os.sched_getaffinity(0))
    cpus = min([float(cores), *_quotas(root)])
    fitting = min([math.inf, *_memories(root)]) // WORKER_BYTES
    return int(max(1, min(MOST_WORKERS, math.ceil(cpus), fitting)))


def _quotas(root: Path) -> Iterator[float]:
    """The cores' worth of time that each group allows."""
    for folder in _folders(root, ""):
        yield from _share(_numbers(folder / "cpu.max"))
    for folder in _folders(root, "cpu"):
        quota = _numbers(folder / "cpu.cfs_quota_us")
        yield from _share(quota + _numbers(folder / "cpu.cfs_period_us"))


def _memories(root: Path) -> Iterator[float]:
    """The bytes that each group allows."""
    for controller, name in (("", "memory.max"), ("memory", "memory.limit_in_bytes")):
        for folder in _folders(root, controller):
            yield from _numbers(folder / name)


def _share(numbers: list[float]) -> Iterator[float]:
    match numbers:
        case [quota, period] if quota > 0 and period > 0:
            yield quota / period


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The group of this process and those above it; "" is the one tree of version 2."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            mount = root / "sys/fs/cgroup" / controller
            group = Path(path.lstrip("/"))
            yield from (mount / group, *(mount / parent for parent in group.parents))


def _numbers(file: Path) -> list[float]:
    """The numbers in a file; none where it is not there or says "max"."""
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
