"""A wait for a socket ends by the kernel's limit and by ours, and holds up nobody."""

import errno
import socket
import time

import gevent
import pytest
from testing.flooding_peers import FLOOD, TICKETS, flooding
from testing.transport_calls import post

from parley.errors import DeadlineExceeded, UpstreamTimeout
from parley.wire.sockets import YieldingSocket
from parley.wire.transport import Transport


def test_a_connection_that_the_kernel_gives_up_is_not_waited_for(transport, upstream, monkeypatch):
    """What it has given up once never becomes ready: the call ends now, not at its deadline."""

    def receive(sock: socket.socket, *arguments: object) -> int:
        if isinstance(sock, YieldingSocket):
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        return real(sock, *arguments)

    real = socket.socket.recv_into
    monkeypatch.setattr(socket.socket, "recv_into", receive)
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        post(transport, upstream.url, seconds=20)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(("scheme", "flood"), [("http", FLOOD), ("https", TICKETS)])
def test_an_upstream_that_floods_does_not_hold_up_others(scheme, flood, tmp_path):
    """While it always has more to read, whoever else has something to do gets to do it.

    A TLS server may send any number of session tickets (RFC 8446, 4.6.1), which are no data.
    """
    with flooding(flood, tmp_path) as (address, bundle):
        url, transport = f"{scheme}://{address}/v1", Transport(8, ca_bundle=bundle)
        began, turns = time.monotonic(), 0
        flooded = gevent.spawn(give_up, transport, url, 2)
        while not flooded.ready():
            time.sleep(0.01)
            turns += 1
        flooded.get()
    assert 2 <= time.monotonic() - began < 12
    assert turns > 4  # Whoever is held up gets one or two.


def give_up(transport, url, seconds):
    with pytest.raises(DeadlineExceeded):
        post(transport, url, limit=10**9, seconds=seconds)
