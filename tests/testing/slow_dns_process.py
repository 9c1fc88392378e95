"""Run under gevent: how many seconds one name takes while five hundred others get no answer."""

# ruff: noqa: E402  # gevent patches before anything else is imported.

import os
import socket
import sys
import threading
import time
from contextlib import suppress

os.environ["GEVENT_RESOLVER"] = "ares"
os.environ["GEVENT_RESOLVER_NAMESERVERS"] = "127.0.0.1"
os.environ["GEVENTARES_UDP_PORT"] = os.environ["GEVENTARES_TCP_PORT"] = sys.argv[1]

from gevent import monkey

monkey.patch_all()

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded
from parley.wire.happy_eyeballs import resolve


def wait_for(name: str) -> None:
    with suppress(DeadlineExceeded), Deadline.after(6).wait():
        resolve(socket.getaddrinfo, name, 443)


waiting = [
    threading.Thread(target=wait_for, args=(f"slow{number}.example",)) for number in range(500)
]
for thread in waiting:
    thread.start()
time.sleep(0.5)
began = time.monotonic()
with Deadline.after(20).wait():
    [(_, address)] = resolve(socket.getaddrinfo, "fast.example", 443)
took = time.monotonic() - began
began = time.monotonic()
for thread in waiting:
    thread.join()
sys.stdout.write(f"{address[0]} {took:.3f} {time.monotonic() - began:.3f}")
# Names that nobody waits for any more may still be asked for.
sys.stdout.flush()
os._exit(0)
