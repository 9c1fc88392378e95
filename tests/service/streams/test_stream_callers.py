"""Streams to callers who read slowly, stall or listen for long, and what none of them is shown."""

import time
from contextlib import ExitStack

import pytest
from testing import served_streams as streams
from testing.fake_streams import Pace, Streamed, streams_chat, streams_speech
from testing.raw_callers import memory
from testing.served_streams import REPLY

STALL, REQUEST = 1, 2
LIMITS = f"""
connection_limits.SILENCE_SECONDS = {STALL}
connection_limits.REQUEST_SECONDS = {REQUEST}
"""


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    """One that is soon done with callers who send or read nothing."""
    folder = tmp_path_factory.mktemp("service")
    with streams.served(folder, served_upstream.url, LIMITS, deadline=10) as running:
        yield running


def endless(body):
    """15 MB of sound."""
    yield b"ID3"
    yield from (bytes(65_536) for _ in range(240))


def test_slow_readers_fill_no_memory(service, upstream):
    """The upstream waits as well, instead of sending what nobody reads."""
    upstream.answers["tts"] = Streamed(endless, lambda body: "audio/mpeg")
    before = memory(service)
    with ExitStack() as stack:
        callers = [stack.enter_context(streams.caller(service)) for _ in range(streams.CAPACITY)]
        ids = [streams.request_id_of(streams.until(each, b"event: audio\n")) for each in callers]
        time.sleep(STALL * 0.75)
        assert memory(service) - before < 20  # MB; all of it would be 60.
    for each in ids:
        streams.log_line(service, each)  # Its slot is free for the tests that follow.
    streams.is_quiet(service)


def test_a_caller_who_reads_nothing_is_left(service, upstream):
    """After the time that any caller may read nothing for; the log has the one line for it."""
    speech = upstream.answers["tts"] = Streamed(endless, lambda body: "audio/mpeg")
    begun = time.monotonic()
    with streams.caller(service) as connection:
        received = streams.until(connection, b"event: audio\n")
        assert speech.left.wait(streams.END_SECONDS)
        assert time.monotonic() - begun > STALL
        line = streams.log_line(service, streams.request_id_of(received))
    assert "event=answer_cut" in line
    assert "status=200 stage=tts code=caller_disconnected" in line
    streams.is_quiet(service)


@pytest.mark.parametrize("row", ["chat", "speech"])
def test_a_silent_upstream_is_no_callers_fault(service, upstream, row):
    """The time in which a caller must read does not run while there is nothing to read."""
    pace = Pace(first=2 * STALL + 1)
    if row == "chat":
        upstream.answers["text"] = streams_chat(reply=lambda body: REPLY, pace=pace)
    else:
        upstream.answers["tts"] = streams_speech(pace=pace)
    stream = streams.listen(service)
    assert (stream.text, stream.code) == (REPLY, None)
    assert len(stream.ended) == len(stream.segments)


def test_a_long_stream_arrives_whole(service, upstream):
    """No limit of the server's bounds an answer that goes on, be it longer than any request."""
    pace = Pace(between=0.07)
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY, pace=pace)
    begun = time.monotonic()
    stream = streams.listen(service)
    assert time.monotonic() - begun > 7 > 3 * REQUEST
    assert (stream.text, stream.code) == (REPLY, None)
    assert "".join("".join(stream.spoken).split()) == "".join(REPLY.split())
    streams.is_quiet(service)
