"""An answer's bytes are there as they arrive, within its limits, and its call can be ended."""

import gzip
import json
import random
import threading
import time
from dataclasses import replace

import gevent
import pytest
from testing import fake_openai as fake
from testing.transport_calls import END, HEAD, SOON, chunk, descriptors, post, stream
from testing.upstream_faults import says, stalls

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded

pytestmark = pytest.mark.parametrize("upstream", ["http", "https"], indirect=True)
CALLS, TOGETHER = 200, 20
ALL = (b"abcdef2" * 20_000)[:65_539]


def in_steps(upstream, *parts: bytes):
    """Answer with the first part, and with one more each time that what is returned is called."""
    step = threading.Semaphore(1)

    def answer(connection, request):
        for part in parts:
            if not step.acquire(timeout=10):
                return False
            connection.sendall(part)
        return True

    upstream.answers["text"] = answer
    return step.release


ONE, TWO = gzip.compress(b"one"), gzip.compress(b"two")
GZIP = HEAD + b"Content-Encoding: gzip\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (HEAD + b"\r\n" + chunk(b"one"), chunk(b"two") + END),
        (HEAD + b"\r\n6\r\none", b"two\r\n" + END),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none", b"two"),
        (GZIP + chunk(ONE), chunk(TWO) + END),
    ],
    ids=["chunks", "a long chunk", "a told length", "flushed by the compressor"],
)
def test_a_piece_does_not_wait_for_what_belongs_to_it(transport, upstream, first, rest):
    """An upstream may send slowly what is one chunk, one body, or one compressed whole."""
    go_on = in_steps(upstream, first, rest)
    with stream(transport, upstream.url) as answer:
        pieces = answer.pieces()
        assert next(pieces) == b"one"
        go_on()
        assert b"".join(pieces) == b"two"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(ALL) + b"what is no member"),
        ("gzip", gzip.compress(ALL[:9]) + gzip.compress(ALL[9:])),
    ],
)
def test_a_compressed_answer_is_decoded_to_its_last_byte(transport, upstream, coding, body):
    """What follows it and is none may be ignored, as other clients do."""
    upstream.answers["text"] = says(fake.http(body, Content_Encoding=coding))
    with stream(transport, upstream.url) as arriving:
        assert arriving.whole() == ALL


@pytest.mark.parametrize("later", [HEAD + b"\r\n" + chunk(b"for nobody") + END, b""])
def test_an_idle_connection_on_which_something_arrives_is_not_used(transport, upstream, later):
    """Neither an answer that nobody asked for, nor the end of the connection, meets a call."""

    def answer(connection, request):
        connection.sendall(HEAD + b"\r\n" + chunk(b"all") + END)
        time.sleep(0.1)
        connection.sendall(later)
        return bool(later)

    upstream.answers["text"] = answer
    for number in (1, 2):
        with stream(transport, upstream.url) as streamed:
            assert streamed.whole() == b"all"
        assert upstream.connections == number
        time.sleep(0.4)


@pytest.mark.parametrize("read", [0, 1])
def test_an_answer_that_was_not_read_whole_ends_its_connection(transport, upstream, read):
    """The next caller would be given the rest of it."""
    upstream.answers["text"] = says(HEAD + b"\r\n" + chunk(b"one") + chunk(b"two") + END)
    for _ in range(2):
        with stream(transport, upstream.url) as answer:
            pieces = answer.pieces()
            for _ in range(read):
                assert next(pieces) == b"one"
    assert upstream.connections == 2
    assert fake.soon(lambda: not upstream._open), "closed only once nobody refers to the answer"
    assert answer


@pytest.mark.parametrize(
    ("rest", "connections"), [(END, 1), (chunk(b"and more") + END, 1), (b"", 2)]
)
def test_an_end_that_comes_at_once_leaves_its_connection(transport, upstream, rest, connections):
    """Though its reader has what it wanted; an end that does not come is not awaited."""
    upstream.answers["text"] = says(HEAD + b"\r\n" + chunk(b"one") + rest)
    begun = time.monotonic()
    for _ in range(2):
        with stream(transport, upstream.url) as answer:
            assert next(answer.pieces()) == b"one"
            answer.drain()
    assert upstream.connections == connections
    assert time.monotonic() - begun < SOON


def test_the_readers_own_errors_stay_its_own(transport, upstream):

    def pass_on():
        with stream(transport, upstream.url) as answer:
            next(answer.pieces())
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        pass_on()


def test_the_deadline_holds_amid_an_upload_that_nobody_reads(transport, upstream):
    upstream.greet = lambda connection: bool(upstream.tls or time.sleep(10))
    upstream.answers["text"] = lambda connection, request: time.sleep(10)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        post(transport, upstream.url, body={"model": "m" * 20_000_000}, seconds=0.6)
    assert time.monotonic() - began < 6


def test_silence_ends_a_stream_and_steady_pieces_do_not(transport, upstream):

    def pause(connection, request):
        connection.sendall(HEAD + b"\r\n")
        for _ in range(11):
            connection.sendall(chunk(b"x"))
            time.sleep(0.2)
        time.sleep(10)

    upstream.answers["text"] = pause
    deadline = replace(Deadline.after(60), longest_wait=2.0)
    taken, began = bytearray(), time.monotonic()
    with stream(transport, upstream.url, deadline=deadline) as answer:
        pieces = answer.pieces()
        while len(taken) < 11:
            taken += next(pieces)
        with pytest.raises(DeadlineExceeded):
            next(pieces)
    assert taken == b"x" * 11
    assert time.monotonic() - began < 10


def read_all(transport, url):
    with stream(transport, url, limit=10**9) as answer:
        answer.whole()


def killed(begun, work, *arguments):
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


def test_calls_that_end_at_any_moment_mix_nothing(transport, upstream):
    """Whoever was not ended has its own answer, and neither a lock nor a descriptor is lost."""

    def echo(connection, request):
        for part in (HEAD + b"\r\n", chunk(request.body), END):
            connection.sendall(part)
            time.sleep(0.001)
        return True

    def ask(number):
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
