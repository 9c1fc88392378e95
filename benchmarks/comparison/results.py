"""A run as JSON has it: when, where, and each figure of each service, turn by turn."""

import json
import os
import platform
import re
import statistics
from datetime import UTC, datetime
from pathlib import Path

KB_A_GB = 1_048_576


def described() -> dict:
    """The day and the machine, which is told by its cores and memory alone."""
    memory = re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / KB_A_GB),
        "python": platform.python_version(),
    }


def medians(results: dict) -> dict[str, dict[str, float]]:
    """The median of each figure's turns, by service."""
    return {
        key: {service: statistics.median(turns) for service, turns in by_service.items()}
        for key, by_service in results["figures"].items()
    }


def save(results: dict, path: Path) -> None:
    """Write the run, a service's turns on one line."""
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1)
    text = re.sub(r"\[[^][{}\"]*\]", lambda found: " ".join(found[0].split()), text)
    path.write_text(f"{text}\n")
