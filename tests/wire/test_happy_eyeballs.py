"""Of a host's addresses, the first that answers is taken."""

import errno
import socket
import time
from contextlib import ExitStack

import pytest
from testing.fake_openai import soon
from testing.transport_calls import descriptors

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded, UpstreamUnavailable
from parley.wire import happy_eyeballs
from parley.wire.happy_eyeballs import ADDRESSES, connect

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def host():
    """The port of a host that listens at 127.0.0.1, is dead at 127.0.0.2 and closed at 127.0.0.3.

    Dead is what does not answer: a listener whose queue is full drops what else arrives.
    """
    with ExitStack() as stack:
        alive = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = alive.getsockname()[1]
        dead = stack.enter_context(socket.create_server(("127.0.0.2", port), backlog=0))
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(dead.getsockname())
        yield port


@pytest.mark.parametrize("first", ["127.0.0.2", "127.0.0.3"])
def test_a_dead_address_of_two_costs_little(host, first):
    """The next is tried while the first may still answer."""
    began = time.monotonic()
    addresses = [(V4, (first, host)), (V4, ("127.0.0.1", host))]
    with connect(addresses) as sock:
        assert sock.getpeername() == ("127.0.0.1", host)
    assert time.monotonic() - began < 4


def test_dead_addresses_end_with_the_deadline(host):
    """Where none answers, its error tells so, in time, and no descriptor is left."""
    opened = descriptors()
    with pytest.raises(DeadlineExceeded), Deadline.after(0.6).wait():
        connect([(V4, ("127.0.0.2", host))] * 3)
    # What a test before this one left may close meanwhile.
    assert soon(lambda: descriptors() <= opened)


@pytest.mark.parametrize("found", [["127.0.0.3"] * 3, ["127.0.0.3"] * ADDRESSES + ["127.0.0.1"]])
def test_a_host_that_refuses_at_each_of_its_first_addresses_is_unavailable(host, found):
    """At once. A host that a caller names may have any number; those after ten are not tried."""
    with pytest.raises(UpstreamUnavailable):
        connect([(V4, (address, host)) for address in found])


def test_the_other_family_is_among_the_first_addresses(host):
    """However many addresses of the first there are, all of which fail."""
    addresses = [(V6, ("::1", 1, 0, 0))] * ADDRESSES + [(V4, ("127.0.0.1", host))]
    with connect(addresses) as sock:
        assert sock.family == V4


def test_without_a_descriptor_the_upstream_is_unavailable(monkeypatch):
    """Where the process has no descriptor left, the caller is told as of any failed connection."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(happy_eyeballs.YieldingSocket, "__init__", refuse)
    with pytest.raises(UpstreamUnavailable):
        connect([(V4, ("127.0.0.1", 9))])
