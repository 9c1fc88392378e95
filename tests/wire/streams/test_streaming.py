"""An answer's bytes are there as they arrive, within its limits."""

import gzip
import socket
import time
from dataclasses import replace

import pytest
from testing import fake_openai as fake
from testing.transport_calls import END, HEAD, SOON, chunk, extend, in_steps, post, stream
from testing.upstream_faults import says

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded

ALL = (b"abcdef2" * 20_000)[:65_539]


def test_pieces_come_as_they_are_sent(transport, upstream):
    """First the status and the headers, then each piece before the upstream sends the next."""
    go_on = in_steps(upstream, HEAD + b"\r\n", chunk(b"one"), chunk(b"two"), END)
    with stream(transport, upstream.url) as answer:
        assert (answer.status, answer.request_id) == (200, "req_1")
        assert answer.headers["transfer-encoding"] == "chunked"
        pieces = answer.pieces()
        go_on()
        assert next(pieces) == b"one"
        go_on()
        assert next(pieces) == b"two"
        go_on()
        assert list(pieces) == []


ONE, TWO = gzip.compress(b"one"), gzip.compress(b"two")
GZIP = HEAD + b"Content-Encoding: gzip\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (HEAD + b"\r\n6\r\none", b"two\r\n" + END),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none", b"two"),
        (GZIP + chunk(ONE), chunk(TWO) + END),
    ],
    ids=["a long chunk", "a told length", "flushed by the compressor"],
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

    def answer(connection: socket.socket, request: fake.Request) -> bool:
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
            answer.end()
    assert upstream.connections == connections
    assert time.monotonic() - begun < SOON


def test_the_readers_own_errors_stay_its_own(transport, upstream):
    """Who passes pieces on may fail at that, and it is not the upstream's failure."""

    def pass_on() -> None:
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
    """Each wait is bounded, and the stream by a moment that is far away."""

    def pause(connection: socket.socket, request: fake.Request) -> None:
        connection.sendall(HEAD + b"\r\n")
        for _ in range(11):
            connection.sendall(chunk(b"x"))
            time.sleep(0.2)
        time.sleep(10)

    upstream.answers["text"] = pause
    deadline = replace(Deadline.after(60), longest_wait=2.0)
    taken, began = bytearray(), time.monotonic()
    with (
        stream(transport, upstream.url, deadline=deadline) as answer,
        pytest.raises(DeadlineExceeded),
    ):
        extend(taken, answer)
    assert taken == b"x" * 11
    assert time.monotonic() - began < 10
