"""Asks /healthz every 20 ms, in a process of its own, while something else happens.

What counts is the processor time that the worker used while it owed the answer: unlike the time by
the clock, it does not grow when the machine is busy.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from testing.raw_callers import HEALTH, PATIENCE, one_answer, workers_of

PERIOD_SECONDS = 0.02


@dataclass
class Waits:
    """Of each request, in milliseconds: how long it took, and the worker's processor time in it."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


@contextmanager
def probed(service) -> Iterator[Waits]:
    """Ask while the block runs; the waits are there after it."""
    [worker] = workers_of(service)
    host, port = service.address
    command = [sys.executable, __file__, host, str(port), str(worker)]
    paths = [path for path in sys.path if path]
    with subprocess.Popen(
        command,
        env={"PYTHONPATH": ":".join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as probe:
        waits = Waits()
        try:
            assert probe.stdout.readline() == b"ready\n"
            yield waits
        finally:
            told, _ = probe.communicate(b"over", 30)
        assert probe.returncode == 0
        waits.clock, waits.processor = json.loads(told)
        assert workers_of(service) == [worker]


def processor_ms(pid: int) -> float:
    """The processor time that a process has used (Linux: Documentation/scheduler/sched-stats)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def probe(host: str, port: int, worker: int) -> None:
    """Ask until the standard input says that it is over."""
    clock, processor = [], []
    with socket.create_connection((host, port)) as caller:
        caller.settimeout(6 * PATIENCE)
        print("ready", flush=True)  # noqa: T201  # Whoever started it waits for this.
        while not select.select([sys.stdin], [], [], PERIOD_SECONDS)[0]:
            used, begun = processor_ms(worker), time.monotonic()
            caller.sendall(HEALTH)
            assert one_answer(caller).startswith(b"HTTP/1.1 200")
            clock.append(1e3 * (time.monotonic() - begun))
            processor.append(processor_ms(worker) - used)
    print(json.dumps([clock, processor]))  # noqa: T201


if __name__ == "__main__":
    probe(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
