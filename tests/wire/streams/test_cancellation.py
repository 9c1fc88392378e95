"""Another thread can end a call, whatever it waits for."""

import socket
import threading
import time
from dataclasses import replace

import pytest
from testing import fake_openai as fake
from testing.streamed_calls import END, HEAD, SOON, chunk, in_steps, stream

from parley.deadline import Cancellation, Deadline
from parley.errors import (
    CallerDisconnected,
)

from parley.wire.transport import Transport



def cancel_soon(cancellation: Cancellation) -> list[float]:
    """Cancel in a moment, from another thread; when that was."""
    when: list[float] = []

    def cancel() -> None:
        time.sleep(0.3)
        when.append(time.monotonic())
        cancellation.cancel(CallerDisconnected)

    threading.Thread(target=cancel, daemon=True).start()
    return when


def read_all(transport, url, deadline):
    with stream(transport, url, limit=10**9, deadline=deadline) as answer:
        answer.whole()


@pytest.mark.parametrize("parts", [[], [HEAD], [HEAD + b"\r\n" + chunk(b"one")]])
@pytest.mark.parametrize("silence", [10, 60])
def test_another_thread_ends_a_wait_for_the_upstream(transport, upstream, parts, silence):
    """Before the headers, amid them or amid the body: within a second."""

    def stall(connection: socket.socket, request: fake.Request) -> None:
        for part in parts:
            connection.sendall(part)
        time.sleep(8)

    upstream.answers["text"] = stall
    cancellation = Cancellation()
    deadline = replace(Deadline.after(20), silence=silence, cancellation=cancellation)
    when = cancel_soon(cancellation)
    with pytest.raises(CallerDisconnected):
        read_all(transport, upstream.url, deadline)
    assert time.monotonic() - when[0] < SOON


def test_another_thread_ends_a_handshake(transport, upstream):
    """A peer that accepts a connection and then says nothing."""
    upstream.greet = lambda connection: bool(time.sleep(8))
    cancellation = Cancellation()
    when = cancel_soon(cancellation)
    with pytest.raises(CallerDisconnected):
        read_all(transport, upstream.url, replace(Deadline.after(20), cancellation=cancellation))
    assert time.monotonic() - when[0] < SOON


def test_another_thread_ends_a_look_up():
    """Which itself goes on, with nobody waiting for it."""
    answered = threading.Event()

    def look_up(*_: object, **__: object) -> list[tuple]:
        answered.wait(8)
        raise OSError

    cancellation = Cancellation()
    when = cancel_soon(cancellation)
    deadline = replace(Deadline.after(20), cancellation=cancellation)
    with pytest.raises(CallerDisconnected):
        read_all(Transport(1, look_up), "http://slow.example/v1", deadline)
    assert time.monotonic() - when[0] < SOON
    answered.set()


def test_a_cancelled_call_leaves_no_connection(transport, upstream):
    """It is closed at once, and the next call makes another."""
    in_steps(upstream, HEAD + b"\r\n" + chunk(b"one"), END)
    cancellation = Cancellation()
    deadline = replace(Deadline.after(20), cancellation=cancellation)
    with stream(transport, upstream.url, deadline=deadline) as answer:
        pieces = answer.pieces()
        next(pieces)
        cancellation.cancel(CallerDisconnected)
        with pytest.raises(CallerDisconnected):
            next(pieces)
    upstream.answers.clear()
    with stream(transport, upstream.url) as answer:
        assert answer.whole().status == 200
    assert upstream.connections == 2
