"""A call ends with its greenlet, whatever it waits for, and leaves nothing behind."""

import json
import random
import socket
import time

import gevent
import pytest
from testing import fake_openai as fake
from testing.transport_calls import END, HEAD, SOON, chunk, descriptors, post, stream
from testing.upstream_faults import stalls

from parley.wire.transport import Transport

CALLS, TOGETHER = 400, 20


def read_all(transport, url):
    with stream(transport, url, limit=10**9) as answer:
        answer.whole()


def killed(begun, work, *arguments) -> bool:
    """Whether work that has begun is ended within a second."""
    working = gevent.spawn(work, *arguments)
    assert fake.soon(begun)
    time.sleep(0.1)
    began = time.monotonic()
    working.kill()
    assert isinstance(working.value, gevent.GreenletExit)
    return time.monotonic() - began < SOON


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"\r\n" + chunk(b"one")])
def test_a_wait_for_the_upstream_can_be_ended(transport, upstream, sent):
    """Before the headers, amid them or amid the body; the next call makes another connection."""
    upstream.answers["text"] = stalls(sent, 10)
    assert killed(lambda: upstream.requests, read_all, transport, upstream.url)
    upstream.answers.clear()
    read_all(transport, upstream.url)
    assert upstream.connections == 2


def test_a_handshake_can_be_ended(transport, upstream):
    upstream.greet = lambda connection: bool(time.sleep(10))
    assert killed(lambda: upstream.connections, read_all, transport, upstream.url)


def test_a_look_up_can_be_ended():
    asked = []
    transport = Transport(1, lambda *_, **__: asked.append(1) or time.sleep(10))
    assert killed(lambda: asked, read_all, transport, "http://slow.example/v1")


def test_calls_that_end_at_any_moment_mix_nothing(transport, upstream):
    """Whoever was not ended has its own answer, and neither a lock nor a descriptor is lost."""

    def echo(connection: socket.socket, request: fake.Request) -> bool:
        for part in (HEAD + b"\r\n", chunk(request.body), END):
            connection.sendall(part)
            time.sleep(0.001)
        return True

    def ask(number: int) -> None:
        asked = {"number": number, "padding": "x" * random.randrange(30_000)}
        assert json.loads(post(transport, upstream.url, body=asked, seconds=60).body) == asked
        answered.append(number)

    upstream.answers["text"], answered = echo, []
    opened = descriptors()
    for first in range(0, CALLS, TOGETHER):
        calls = [gevent.spawn(ask, number) for number in range(first, first + TOGETHER)]
        for call in calls:
            gevent.sleep(random.uniform(0, 0.003))
            call.kill(block=False)
        gevent.joinall(calls, timeout=60, raise_error=True)
    assert 0 < len(answered) < CALLS
    for number in range(20):
        ask(number)
    assert len(upstream._open) <= 8
    assert descriptors() <= opened + 2 * 8 + 2
