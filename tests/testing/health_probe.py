"""Asks the service every 20 ms, in a process of its own, while something else happens.

What counts is the processor time that the worker uses between a request and its answer: unlike the
time by the clock, it does not grow when the machine is busy. The worker itself tells it with the
answer, since this process may get to read that much later.
"""

import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testing.raw_callers import PATIENCE, one_answer, workers_of

USED = b"GET /used HTTP/1.1\r\nHost: x\r\n\r\n"
PERIOD_SECONDS = 0.02


@contextmanager
def probed(service) -> Iterator[list[float]]:
    """Ask testing.measured_app while the block runs; what each request waited for, in milliseconds.

    The waits are there after the block.
    """
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
        waits: list[float] = []
        try:
            assert probe.stdout.readline() == b"ready\n"
            yield waits
        finally:
            told, _ = probe.communicate(b"over", 60)
        assert probe.returncode == 0
        waits += json.loads(told)
        assert workers_of(service) == [worker]


def processor_ms(pid: int) -> float:
    """The processor time of a process's main thread (Linux: scheduler/sched-stats)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def probe(host: str, port: int, worker: int) -> None:
    """Ask until the standard input says that it is over."""
    waits = []
    with socket.create_connection((host, port)) as caller:
        caller.settimeout(6 * PATIENCE)
        print("ready", flush=True)  # noqa: T201  # Whoever started it waits for this.
        while not select.select([sys.stdin], [], [], PERIOD_SECONDS)[0]:
            begun = processor_ms(worker)
            caller.sendall(USED)
            head, _, body = one_answer(caller).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            waits.append(json.loads(body)["used"] - begun)
    print(json.dumps(waits))  # noqa: T201


if __name__ == "__main__":
    probe(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
