"""Events are read as the WHATWG's standard has them, however they arrive, and within bounds."""

import time

import pytest
from testing.fake_streams import CHATS

from parley.errors import UpstreamMalformed
from parley.upstream.chat_stream import deltas_of
from parley.upstream.sent_events import EVENT_BYTES, EVENT_LINES, events_in

# Most rows are the platform's own tests of EventSource, in our words.
STREAMS: dict[bytes, list[tuple[bytes, bytes]]] = {
    b"data: a\n\n": [(b"", b"a")],
    b"data: a\r\n\r\n": [(b"", b"a")],
    b"data: a\n\rdata: b\r\n\n": [(b"", b"a"), (b"", b"b")],
    b"data: a\r\ndata: b\ndata: c\r\r\n": [(b"", b"a\nb\nc")],
    b"data:a\n\n": [(b"", b"a")],
    b"data:  a \n\n": [(b"", b" a ")],
    b"data\n\n": [(b"", b"")],
    b"data:\n\n": [(b"", b"")],
    b"data\ndata\n\n": [(b"", b"\n")],
    b": wait\n\n:\n\ndata: a\n: wait\ndata: b\n\n": [(b"", b"a\nb")],
    b"event: ping\n\ndata: a\n\n": [(b"", b"a")],
    b"event:ping\nevent:pong\ndata: a\n\ndata: b\n\n": [(b"pong", b"a"), (b"", b"b")],
    b"id: 1\nretry: 1000\ndata: a\n\n": [(b"", b"a")],
    b" data: a\nDATA: a\ndatax: a\ndata: b\n\n": [(b"", b"b")],
    b"data: a\n\n\xef\xbb\xbfdata: b\n\n": [(b"", b"a")],
    b"data: a\n\ndata: b\n": [(b"", b"a"), (b"", b"b")],
    b"data: a\r": [(b"", b"a")],
    b"event: error\n\n": [(b"error", b"")],
    b'error: {"code": 500}\n\n': [(b"error", b' {"code": 500}')],
    b'{"error": 1}\n\n': [(b"", b'{"error": 1}')],
    b'data: {"a": 1}\ndata: {"b": 2}\ndata: [DONE]\n': [
        (b"", b'{"a": 1}'),
        (b"", b'{"b": 2}'),
        (b"", b"[DONE]"),
    ],
    b'data: {\ndata: "a": {}\ndata: }\n\n': [(b"", b'{\n"a": {}\n}')],
    b'data: {"a":\ndata: {}}\n\n': [(b"", b'{"a":\n{}}')],
    b"\n\r\n\r": [],
    b"": [],
}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_read_by_the_standard(stream):
    """In one piece, and cut anywhere: between CR and LF, within a name."""
    for size in (1, 2, 3, 5, len(stream) or 1):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [(event.name, event.data) for event in events_in(pieces)] == STREAMS[stream]


def test_an_event_that_the_end_cuts_off_says_so():
    """What it holds may be cut, too."""
    assert [event.is_cut for event in events_in([b"data: a\n\ndata: b"])] == [False, True]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"data: ", b"x" * 9999),
        (b"x" * (EVENT_BYTES + 10), b"\n\n"),
        (b"data: x\n" * (EVENT_LINES + 1), b"\n"),
        (b"", b"data: " + b"x" * 9000 + b"\n"),
        (b"", b"id: " + b"x" * 9000 + b"\n"),
        (b"", b"data\n"),
    ],
    ids=["a line", "no field", "lines", "long lines", "other fields", "empty lines"],
)
def test_an_event_has_bounds(first, again):
    """In bytes and in lines, of which each costs; no more is read than an event may have."""

    def flood():
        yield first
        for _ in range(min(EVENT_BYTES // len(again), EVENT_LINES) + 2):
            yield again
        pytest.fail("read on")

    with pytest.raises(UpstreamMalformed):
        list(events_in(flood()))


def test_the_time_grows_with_the_bytes():
    """Byte by byte, too: four times as much takes far less than sixteen times as long."""

    def seconds(count: int) -> float:
        begun = time.process_time()
        list(events_in([b"data: ", *[b"x"] * count, b"\n\n"]))
        return time.process_time() - begun

    seconds(1000)
    assert seconds(200_000) < 10 * seconds(50_000)


def test_a_large_piece_loses_no_byte_and_lets_others_run(monkeypatch):
    """Wherever it is parted, in an event's name or within a character; what is small costs none."""
    turns = []
    monkeypatch.setattr("parley.upstream.sent_events.let_others_run", lambda: turns.append(1))
    reply = "Grüße aus 東京! " * 500
    events = [b"\xef", b"\xbb\xbf", *CHATS["whole"](reply)[1:]]  # A byte order mark, cut in two.
    assert "".join(deltas_of(events, pytest.fail)) == reply
    assert turns == []
    stream = b"".join(CHATS["whole"](reply))
    for start in range(40):
        assert "".join(deltas_of([b":" * start + b"\n" + stream], pytest.fail)) == reply
    assert turns
