"""Names become addresses, however many ask at once, of which the first that answers is taken."""

import errno
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress

import gevent
import pytest
from gevent.event import Event
from gevent.resolver.ares import Resolver
from testing.fake_openai import soon
from testing.transport_calls import descriptors

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded, UpstreamUnavailable
from parley.wire import connections
from parley.wire.connections import ADDRESSES, connect, resolve

V4 = socket.AF_INET


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


OTHER_FAMILY = [(socket.AF_INET6, ("::1", 1, 0, 0))] * ADDRESSES


@pytest.mark.parametrize("dead", ["127.0.0.2", "127.0.0.3", OTHER_FAMILY])
def test_dead_addresses_before_a_live_one_cost_little(host, dead):
    """It is tried while the first may still answer, however many the other family has."""
    began = time.monotonic()
    before = [(V4, (dead, host))] if isinstance(dead, str) else dead
    with connect([*before, (V4, ("127.0.0.1", host))]) as sock:
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


def test_what_connects_though_another_was_taken_is_closed(host, monkeypatch):
    """All have connected when the first is taken."""
    made, all_there, connected = [], Event(), connections._connected

    def at_once(address):
        made.append(sock := connected(address))
        if len(made) == 3:
            all_there.set()
        all_there.wait()
        return sock

    monkeypatch.setattr(connections, "_connected", at_once)
    with connect([(V4, ("127.0.0.1", host))] * 3) as taken:
        assert soon(lambda: [sock for sock in made if sock.fileno() >= 0] == [taken])


def test_without_a_descriptor_the_upstream_is_unavailable(monkeypatch):

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(connections.YieldingSocket, "__init__", refuse)
    with pytest.raises(UpstreamUnavailable):
        connect([(V4, ("127.0.0.1", 9))])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror, UpstreamUnavailable),
        (UnicodeError, UpstreamUnavailable),  # A part of the name is too long.
        (MemoryError, MemoryError),
        (gevent.GreenletExit, gevent.GreenletExit),
    ],
)
def test_a_look_up_that_fails_is_told(error, told):
    """A name that has no address, or cannot be looked up, is told; what is ours stays ours."""

    def look_up(*_, **__):
        raise error

    sentence = "host name was not found" if told is UpstreamUnavailable else None
    with pytest.raises(told, match=sentence):
        resolve(look_up, "a.example", 443)


def answer_but_the_slow(server):
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


def test_five_hundred_slow_names_do_not_slow_another(monkeypatch):
    """With the service's resolver and a real name server; each slow one ends at its deadline."""

    def wait_for(name):
        with pytest.raises(DeadlineExceeded), Deadline.after(3).wait():
            resolve(socket.getaddrinfo, name, 443)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        threading.Thread(target=answer_but_the_slow, args=(server,), daemon=True).start()
        port = server.getsockname()[1]
        with closing(Resolver(servers=["127.0.0.1"], udp_port=port, tcp_port=port)) as resolver:
            monkeypatch.setattr(gevent.get_hub(), "resolver", resolver)
            waiting = [gevent.spawn(wait_for, f"slow{number}.example") for number in range(500)]
            gevent.sleep(0.2)
            with Deadline.after(2.5).wait():
                [(_, address)] = resolve(socket.getaddrinfo, "fast.example", 443)
            assert address[0] == "127.0.0.9"
            gevent.joinall(waiting, timeout=20, raise_error=True)
            assert all(each.successful() for each in waiting)
