"""How many workers fit in a container, by its limits in Linux's control groups (v1 and v2).

The files: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max, memory.max) and
https://docs.kernel.org/scheduler/sched-bwc.html with cgroup-v1/memory.html for version 1.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

MOST_WORKERS = 4
WORKER_BYTES = 128 * 1024 * 1024
"""The memory reserved for each worker; at full capacity it uses half to two thirds of it."""


def workers(root: Path = Path("/"), cores: int | None = None) -> int:
    """How many worker processes to start, 1 to 4: one for each core, if the memory suffices."""
    cores = cores or len(os.sched_getaffinity(0))
    cpus = min([float(cores), *_quotas(root)])
    fitting = min([math.inf, *_memories(root)]) // WORKER_BYTES
    return int(max(1, min(MOST_WORKERS, math.ceil(cpus), fitting)))


def _quotas(root: Path) -> Iterator[float]:
    """How many cores' time each group allows."""
    for folder in _folders(root, ""):
        yield from _share(_numbers(folder / "cpu.max"))
    for folder in _folders(root, "cpu"):
        quota = _numbers(folder / "cpu.cfs_quota_us")
        yield from _share(quota + _numbers(folder / "cpu.cfs_period_us"))


def _memories(root: Path) -> Iterator[float]:
    """How many bytes of memory each group allows."""
    for controller, name in (("", "memory.max"), ("memory", "memory.limit_in_bytes")):
        for folder in _folders(root, controller):
            yield from _numbers(folder / name)


def _share(numbers: list[float]) -> Iterator[float]:
    match numbers:
        case [quota, period] if quota > 0 and period > 0:
            yield quota / period


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's group and those above it; "" means version 2's single tree."""
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
    """The numbers in a file; none if it is missing or says "max"."""
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
