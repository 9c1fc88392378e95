"""A wait for a socket ends by the kernel's limit and by ours, and holds up nobody."""

import errno
import socket
import subprocess
import sys
import threading
import time

import pytest
from testing.transport_calls import post

from parley.base_urls import BaseUrl, Destination
from parley.deadline import Deadline
from parley.errors import DeadlineExceeded, UpstreamTimeout
from parley.wire import connections
from parley.wire.messages import Upstream
from parley.wire.timed_sockets import TimedSocket

KERNELS_OWN = TimeoutError(errno.ETIMEDOUT, "Connection timed out")


def test_connecting_may_take_too_long_for_the_kernel(transport, upstream, monkeypatch):
    """It is told as our own limit is: nothing was sent, so another try is worth it."""

    def connect(*_: object) -> None:
        raise KERNELS_OWN

    monkeypatch.setattr(connections, "connect", connect)
    with pytest.raises(UpstreamTimeout) as raised:
        post(transport, upstream.url, seconds=60)
    assert raised.value.retry


def test_a_connection_that_the_kernel_gives_up_is_not_waited_for(transport, upstream, monkeypatch):
    """What it has given up once never becomes ready: the call ends now, not at its deadline."""

    def receive(sock: socket.socket, *arguments: object) -> int:
        if isinstance(sock, TimedSocket):
            raise KERNELS_OWN
        return real(sock, *arguments)

    real = socket.socket.recv_into
    monkeypatch.setattr(socket.socket, "recv_into", receive)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        post(transport, upstream.url, seconds=8)
    assert time.monotonic() - began < 5


def test_no_call_is_remembered_once_its_request_is_sent(transport, upstream):
    """What reads an answer for long may be another context than the one that asked."""
    destination = Destination(BaseUrl.parse(upstream.url))
    opening = transport.connect(
        Upstream(destination, "key"), "/nowhere", limit=1000, deadline=Deadline.after(5)
    )
    with opening:
        assert connections.current_call.get(None) is None


FLOOD = """
import socket, sys, time
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    listener.settimeout(20)
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        connection.sendall(b"1\\r\\nx\\r\\n" * 10000)
"""


def test_an_upstream_that_floods_does_not_hold_up_others(transport):
    """While it always has more to read, whoever else has something to do gets to do it."""
    with subprocess.Popen(
        [sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        flooded = threading.Thread(target=give_up, args=(transport, url, 8))
        flooded.start()
        last, longest = time.monotonic(), 0.0
        while flooded.is_alive():
            time.sleep(0.01)
            now = time.monotonic()
            last, longest = now, max(longest, now - last)
        server.kill()
    # Whoever is held up waits for nearly all of the eight seconds.
    assert longest < 3


def give_up(transport, url, seconds):
    with pytest.raises(DeadlineExceeded):
        post(transport, url, limit=10**9, seconds=seconds)
