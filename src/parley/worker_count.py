"""How many workers fit in a container (https://docs.kernel.org/admin-guide/cgroup-v2.html)."""

import math
import os
from pathlib import Path

MOST_WORKERS = 4
WORKER_BYTES = 128 * 1024 * 1024  # Reserved for each: about 350 conversations (docs/scaling.md).


def workers(group: Path = Path("/sys/fs/cgroup"), cores: int | None = None) -> int:
    """How many workers to start, 1 to 4, by a control group's folder; a part of a core is one."""
    cores = cores or len(os.sched_getaffinity(0))
    quota, period = _numbers(group / "cpu.max", [math.inf, 1])
    [memory] = _numbers(group / "memory.max", [math.inf])
    cpus = math.ceil(min(cores, quota / period))
    return max(1, int(min(cpus, memory / WORKER_BYTES, MOST_WORKERS)))


def _numbers(file: Path, unlimited: list[float]) -> list[float]:
    """The numbers in a file; `unlimited` if it is missing or says "max"."""
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return unlimited
