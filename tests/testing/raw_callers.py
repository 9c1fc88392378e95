"""Callers that write HTTP by hand, and what they look at."""

import re
import socket
import time
from pathlib import Path

import requests

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LONG_HEADERS = b"".join(b"X-%d: " % i + b"a" * 8_100 + b"\r\n" for i in range(97))
"""Each may be as long as it is, but not all of them together."""

PATIENCE = 10


def health_seconds(service) -> float:
    """How long /healthz takes over a connection of its own."""
    begun = time.monotonic()
    assert requests.get(f"{service.url}/healthz", timeout=60).status_code == 200
    return time.monotonic() - begun


def longest_hold(service) -> float:
    """How long a greenlet of testing.measured_app held it since this was last asked, in ms."""
    return requests.get(f"{service.url}/held", timeout=60).json()["held"]


def connect(service) -> socket.socket:
    return socket.create_connection(service.address, 120)


def until_closed(caller: socket.socket) -> bytes:
    return b"".join(iter(lambda: caller.recv(65_536), b""))


def one_answer(caller: socket.socket) -> bytes:
    """An answer with Content-Length, and not a byte more."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += caller.recv(1)
    length = int(re.search(rb"Content-Length: (\d+)", answer)[1])
    body = b""
    while len(body) < length:
        body += caller.recv(length - len(body))
    return answer + body


def workers_of(service) -> list[int]:
    pid = service.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory(service, kind: str = "VmRSS") -> float:
    """The one worker's memory, in MB; with `VmHWM` the most that it ever had."""
    [worker] = workers_of(service)
    status = Path(f"/proc/{worker}/status").read_text()
    return int(status.partition(f"{kind}:")[2].split()[0]) * 1024 / 1e6
