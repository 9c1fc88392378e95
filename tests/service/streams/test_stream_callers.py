"""Streams to callers who read slowly, stall or listen for long, and what none of them is shown."""

import json
import time
from contextlib import ExitStack, closing

import pytest
from testing.builders import KEY
from testing.fake_openai import http
from testing.fake_streams import Pace, Streamed, event, streams_chat, streams_speech
from testing.raw_callers import memory
from testing.served_streams import (
    CAPACITY,
    END_SECONDS,
    REPLY,
    SPEAKERS,
    caller,
    is_quiet,
    listen,
    log_line,
    post,
    request_id_of,
    served,
    speaks,
    until,
)

STALL, REQUEST = 1, 2
LIMITS = f"""
connection_limits.SILENCE_SECONDS = {STALL}
connection_limits.REQUEST_SECONDS = {REQUEST}
"""
ECHO = f"Incorrect API key provided: {KEY}."


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    """One that is soon done with callers who send or read nothing."""
    folder = tmp_path_factory.mktemp("service")
    with served(folder, served_upstream.url, LIMITS, deadline=10) as running:
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
        callers = [stack.enter_context(caller(service)) for _ in range(CAPACITY)]
        ids = [request_id_of(until(each, b"event: audio\n")) for each in callers]
        time.sleep(STALL * 0.75)
        assert memory(service) - before < 20  # MB; all of it would be 60.
    for each in ids:
        log_line(service, each)  # Its slot is free for the tests that follow.
    is_quiet(service)


def test_a_caller_who_reads_nothing_is_left(service, upstream):
    """After the time that any caller may read nothing for; the log has the one line for it."""
    speech = upstream.answers["tts"] = Streamed(endless, lambda body: "audio/mpeg")
    begun = time.monotonic()
    with caller(service) as connection:
        received = until(connection, b"event: audio\n")
        assert speech.left.wait(END_SECONDS)
        assert time.monotonic() - begun > STALL
        line = log_line(service, request_id_of(received))
    assert "event=answer_cut" in line
    assert "status=200 stage=tts code=caller_disconnected" in line
    is_quiet(service)


@pytest.mark.parametrize("row", ["chat", "speech"])
def test_a_silent_upstream_is_no_callers_fault(service, upstream, row):
    """The time in which a caller must read does not run while there is nothing to read."""
    pace = Pace(first=2 * STALL + 1)
    if row == "chat":
        upstream.answers["text"] = streams_chat(reply=lambda body: REPLY, pace=pace)
    else:
        upstream.answers["tts"] = streams_speech(pace=pace)
    stream = listen(service)
    assert (stream.text, stream.code) == (REPLY, None)
    assert len(stream.ended) == len(stream.segments)


def test_a_long_stream_arrives_whole(service, upstream):
    """No limit of the server's bounds an answer that goes on, be it longer than any request."""
    pace = Pace(between=0.07)
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY, pace=pace)
    begun = time.monotonic()
    stream = listen(service)
    assert time.monotonic() - begun > 7 > 3 * REQUEST
    assert (stream.text, stream.code) == (REPLY, None)
    assert "".join("".join(stream.spoken).split()) == "".join(REPLY.split())
    is_quiet(service)


def refuses(status):
    """An answer that quotes the key, in its message and as its id."""
    body = json.dumps({"error": {"message": ECHO, "type": "t", "param": None, "code": None}})
    return lambda connection, _: (
        connection.sendall(http(body.encode(), status, x_request_id=KEY)) or True
    )


def tells_amid(_):
    """A chat stream that fails with an event which quotes the key."""
    yield event({"choices": [{"index": 0, "delta": {"content": "Yes, of course."}}]})
    yield event({"error": {"message": ECHO, "type": KEY, "param": KEY, "code": KEY}})


ECHOES = {
    "text is refused": ("text", refuses("400 Bad Request")),
    "text is forbidden": ("text", refuses("401 Unauthorized")),
    "text fails amid": ("text", Streamed(tells_amid, lambda body: "text/event-stream")),
    "text ends early": ("text", streams_chat("length", reply=lambda body: REPLY)),
    "speech is refused": ("tts", refuses("400 Bad Request")),
    "speech is forbidden": ("tts", refuses("401 Unauthorized")),
    "speech breaks off": ("tts", streams_speech(lambda text: "cut")),
}
for _, answer in ECHOES.values():
    if isinstance(answer, Streamed):
        answer.request_id = KEY


@pytest.mark.parametrize("model", SPEAKERS)
@pytest.mark.parametrize("row", ECHOES)
def test_no_event_shows_the_key(service, upstream, row, model):
    """However the upstream quotes it: in a message, a code, an id. Nor does the log."""
    stage, answer = ECHOES[row]
    if stage == "text":
        upstream.answers["tts"] = speaks(model)
    upstream.answers[stage] = answer
    with closing(post(service, tts_model=model)) as response:
        told = response.content.decode()
    assert "event: error" in told
    shown = told + str(response.headers) + service.log
    # Sound in base64 may hold four of its letters by chance, but not six.
    assert not any(KEY[at : at + 6] in shown for at in range(3, len(KEY) - 5))
    is_quiet(service)
