"""Names become addresses, however many ask at once."""

import socket
import sys
import threading
import time
from contextlib import suppress

import pytest
from testing.builders import ROOT, ran

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded, UpstreamUnavailable
from parley.wire.happy_eyeballs import resolve


def test_a_name_that_is_slow_is_left_at_the_deadline():
    """The look-up may go on; nobody waits for it."""
    gate = threading.Event()
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded), Deadline.after(0.1).wait():
        resolve(lambda *_, **__: gate.wait(5), "a.example", 443)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror, UpstreamUnavailable),
        (UnicodeError, UpstreamUnavailable),  # A part of the name is too long.
        (MemoryError, MemoryError),
    ],
)
def test_a_look_up_that_fails_is_told(error, told):
    """A name that has no address, or cannot be looked up, is told; what is ours stays ours."""

    def look_up(*_: object, **__: object) -> None:
        raise error

    sentence = "host name was not found" if told is UpstreamUnavailable else None
    with pytest.raises(told, match=sentence):
        resolve(look_up, "a.example", 443)


def answer_but_the_slow(server: socket.socket) -> None:
    """A name server that knows one address, and never answers for a slow name."""
    with suppress(OSError):
        while True:
            query, asker = server.recvfrom(2048)
            end = query.index(b"\0", 12) + 5
            found = b""
            if query[end - 4 : end - 2] == b"\0\1":
                found = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("127.0.0.9")
            head = query[:2] + b"\x81\x80\0\1\0" + bytes([bool(found)]) + bytes(4)
            if b"slow" not in query:
                server.sendto(head + query[12:end] + found, asker)


def test_five_hundred_slow_names_do_not_slow_another():
    """Under gevent, with the resolver that the service has there, and a real name server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        threading.Thread(target=answer_but_the_slow, args=(server,), daemon=True).start()
        script = ROOT / "tests" / "testing" / "slow_dns_process.py"
        port = str(server.getsockname()[1])
        told = ran(sys.executable, script, port, PYTHONPATH=str(ROOT / "src"))
    address, took, others = told.split()
    assert address == "127.0.0.9"
    assert float(took) < 4
    assert float(others) < 20
