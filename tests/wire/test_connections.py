"""A connection serves another call only where nothing unexpected happened on it."""

import socket
import threading
import time
from contextlib import suppress

import gevent
import pytest
from testing import fake_openai as fake
from testing.transport_calls import post

from parley.errors import StaleConnection, UpstreamMalformed, UpstreamUnavailable
from parley.wire import connections
from parley.wire import transport as transports
from parley.wire.answer_reader import AnswerReader
from parley.wire.sockets import YieldingSocket
from parley.wire.transport import Transport

FIRST, SECOND = b'{"for": "the first caller"}', b'{"for": "the second caller"}'
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"


def sends(*parts: bytes, pause: float = 0.05):
    """Answer the first request with these parts, and each later one as it should be."""
    asked = []

    def answer(connection, request):
        asked.append(request)
        for part in parts if len(asked) == 1 else [fake.http(SECOND)]:
            connection.sendall(part)
            time.sleep(pause)
        return True

    return answer


@pytest.mark.parametrize(
    "interim",
    [
        HINTS,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 199 x\r\nContent-Length: 9\r\n\r\n",
        HINTS * 3,
    ],
)
def test_an_interim_answer_is_not_the_answer(transport, upstream, interim):
    """What follows a 1xx belongs to the same call (RFC 9110, 15.2), and to no other caller."""
    upstream.answers["text"] = sends(interim, fake.http(FIRST))
    assert post(transport, upstream.url).body == FIRST
    assert post(transport, upstream.url).body == SECOND
    assert upstream.connections == 1


LENGTH = b"Content-Length: %d\r\n" % len(FIRST)
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FIRST), FIRST)


@pytest.mark.parametrize(
    "answer",
    [
        fake.http(FIRST) + b"x",
        fake.http(FIRST) + fake.http(b'{"for": "nobody"}'),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + CHUNKS,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n" + LENGTH + b"\r\n" + FIRST,
        b"HTTP/1.1 200 OK\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKS,
        b"HTTP/1.1 200 OK\r\n" + LENGTH * 2 + b"\r\n" + FIRST,
        b"HTTP/1.1 200 OK\r\n" + LENGTH.replace(b" ", b" +") + b"\r\n" + FIRST,
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"no header\r\n\r\n" + FIRST,
        # A bare CR ends no line (RFC 9112, 2.2): a hundred lines could be a million headers.
        b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n" + LENGTH + b"\r\n" + FIRST,
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + LENGTH + b"\r\n" + FIRST,
        b"HTTP/1.1 204 No Content\r\n" + LENGTH + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n",
    ],
)
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.HTTPWarning")
def test_a_connection_of_which_the_end_is_unsure_is_not_used_again(transport, upstream, answer):
    """Whatever else may still come over it would be taken for the next caller's answer."""
    upstream.answers["text"] = sends(answer)
    with suppress(UpstreamUnavailable, UpstreamMalformed):
        post(transport, upstream.url)
    assert post(transport, upstream.url).body == SECOND
    assert upstream.connections == 2


def test_an_answer_that_is_given_up_half_way_has_no_end():
    """Its rest may still come, when nothing of it is there yet."""
    ours, theirs = socket.socketpair()
    with theirs, YieldingSocket(fileno=ours.detach()) as sock:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        reader = AnswerReader(sock)
        reader.begin()
        assert reader.read(3) == b"abc"
        reader.close()
        assert sock.recv(3) == b""


@pytest.mark.parametrize(("answered", "error"), [(1, StaleConnection), (0, UpstreamUnavailable)])
def test_that_a_used_connection_closed_is_told_apart(transport, upstream, answered, error):
    """The close may have crossed the request. A host that closes a new one has no time for us."""
    left = [fake.http(FIRST)] * answered
    upstream.answers["text"] = lambda connection, request: (
        bool(left) and connection.sendall(left.pop()) is None
    )
    for _ in range(answered):
        post(transport, upstream.url)
    with pytest.raises(UpstreamUnavailable) as raised:
        post(transport, upstream.url)
    assert (type(raised.value), raised.value.retry, raised.value.retry_after) == (error, True, None)
    assert upstream.connections == 1


def test_a_request_that_was_cut_short_ends_its_connection(transport, upstream, monkeypatch):
    """The upstream would take the next request for the rest of this one."""

    def answer_the_headers(connection):
        if upstream.connections == 1:
            connection.recv(65_536)
            connection.sendall(fake.http(FIRST))
        return True

    def cut_short(self, data, flags):
        send(self, data[:-1], flags)
        raise BrokenPipeError

    send = YieldingSocket.send
    upstream.greet = answer_the_headers
    with monkeypatch.context() as patch:
        patch.setattr(YieldingSocket, "send", cut_short)
        assert post(transport, upstream.url).body == FIRST
    post(transport, upstream.url)
    assert upstream.connections == 2


def test_idle_connections_are_few_and_do_not_last(upstream, monkeypatch):
    """A crowd leaves a bounded number, and what was idle for long is not used: routes drop it."""
    transport = Transport(pool_size=3)
    barrier = threading.Barrier(8, timeout=5)
    upstream.answers["text"] = lambda connection, request: (
        barrier.wait() < 8 and connection.sendall(fake.http(b"{}")) is None
    )
    gevent.joinall([gevent.spawn(post, transport, upstream.url) for _ in range(8)])
    assert fake.soon(lambda: len(upstream._open) == 3)
    upstream.answers.clear()
    post(transport, upstream.url)
    assert upstream.connections == 8
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0)
    post(transport, upstream.url)
    assert upstream.connections == 9
    assert fake.soon(lambda: len(upstream._open) == 3)


def test_hosts_beyond_a_number_are_forgotten(monkeypatch):
    """Callers may name any number of hosts; each leaves a pool behind, up to a number."""
    monkeypatch.setattr(transports, "HOSTS", 2)
    transport = Transport(pool_size=8)
    with fake.running() as one, fake.running() as two, fake.running() as three:
        for host in (one, two, three):
            post(transport, host.url)
        assert fake.soon(lambda: not one._open)
        assert two._open
        assert three._open
