"""Streamed answers as they are served: each event in its turn, and each fault amid."""

import json
import time
from contextlib import ExitStack, closing

import pytest
from testing import served_streams as streams
from testing.fake_openai import TRANSCRIPT, good, http
from testing.fake_realtime import Readings
from testing.fake_streams import Pace, streams_chat
from testing.served_streams import REPLY, SPEAKERS

DEADLINE = 25
SILENCE, REQUEST, STREAM = 1, 2, 2
"""Seconds that a caller may read nothing, and that a request and a stream may go on."""

LIMITS = f"""
connection_limits.SILENCE_SECONDS = {SILENCE}
connection_limits.REQUEST_SECONDS = {REQUEST}
"""


def without_space(text):
    """Sentences that are spoken together get a space between them where there was none."""
    return "".join(text.split())


@pytest.mark.parametrize(
    ("form", "model"), [("mp3", "tts-1"), ("wav", "reader-1"), ("pcm", "tts-1")]
)
def test_a_stream_tells_all_of_a_conversation(service, upstream, form, model):
    """Text and sound are whole, in order and once; no proxy may gather, keep or change it."""
    upstream.answers["tts"] = streams.speaks(model)
    stream = streams.listen(service, audio_format=form, tts_model=model)
    assert (stream.transcript, stream.text) == (TRANSCRIPT, REPLY)
    assert without_space("".join(stream.spoken)) == without_space(REPLY)
    assert len(stream.ended) == len(stream.segments) > 2
    assert (stream.form, stream.voices) == (form, {"alloy"})
    assert stream.done["models_used"] == {"stt": "whisper-1", "text": "gpt-4o", "tts": model}
    assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["X-Accel-Buffering"] == "no"
    assert stream.headers["Cache-Control"] == "no-store"
    assert stream.headers["Transfer-Encoding"] == "chunked"
    assert "Accept" in stream.headers["Vary"]
    line = streams.log_line(service, stream.headers["X-Request-ID"])
    for part in ("status=200", "text_ms=", "tts_ms=", "total_ms=", f"tts_model={model}"):
        assert part in line
    assert "answer_cut" not in line
    streams.is_quiet(service)


# By what the chat stream does: the code, how much of the reply is told, and after how many tries.
# testing/met_streams.py has what the events may hold.
CHAT_FAULTS = {
    "split characters": (None, 1, 1),
    "length": ("text_incomplete", 1, 1),
    "cut": ("upstream_unavailable", 0.5, 1),
    "reset": ("upstream_unavailable", None, 1),
    "fails": ("upstream_unavailable", 0, 3),
}


@pytest.mark.parametrize("row", CHAT_FAULTS)
def test_whatever_the_chat_stream_does_the_stream_ends_well(service, upstream, row):
    """What was written is told, spoken, and asked for once; then come the error and `done`."""
    code, share, tries = CHAT_FAULTS[row]
    upstream.answers["text"] = streams_chat(row, reply=lambda body: REPLY)
    stream = streams.listen(service)
    assert stream.code == code
    assert [request.stage for request in upstream.requests].count("text") == tries
    if share is not None:
        assert abs(len(stream.text) - int(len(REPLY) * share)) <= 4
        assert REPLY.startswith(stream.text)
        assert stream.text == "".join(stream.segments)
        assert len(stream.ended) == len(stream.segments)
    assert not code or stream.error["stage"] == "text"
    streams.is_quiet(service)


@pytest.mark.parametrize(
    ("model", "row", "code", "tries"),
    [
        ("tts-1", "odd pieces", None, 1),
        ("tts-1", "empty", "upstream_malformed", 1),
        ("tts-1", "cut", "upstream_unavailable", 1),
        ("tts-1", "reset", "upstream_unavailable", 1),
        ("tts-1", "fails", "upstream_unavailable", 3),
        ("reader-1", "closes after", None, 1),
        ("reader-1", "cut after", None, 1),
        ("reader-1", "reworded", None, 1),
        ("reader-1", "closes amid", "upstream_unavailable", 1),
        ("reader-1", "cut amid", "upstream_unavailable", 1),
        ("reader-1", "empty", "upstream_malformed", 1),
        ("reader-1", "error", "rate_limited", 1),
        ("reader-1", "failed", "upstream_unavailable", 1),
        ("reader-1", "incomplete", "upstream_malformed", 1),
    ],
)
def test_whatever_a_segments_speech_does_the_text_is_whole(
    service, upstream, model, row, code, tries
):
    """No sound follows a failure, and a WebSocket that closes between two segments opens anew."""
    reply, said = REPLY[: len(REPLY) // 2], []

    def of_one(text):
        said.append(text)
        return row if "Seine" in text else "whole"

    upstream.answers["text"] = streams_chat(reply=lambda body: reply)
    upstream.answers["tts"] = streams.speaks(model, of_one)
    stream = streams.listen(service, audio_format="pcm", tts_model=model)
    assert (stream.text, stream.code) == (reply, code)
    assert without_space("".join(stream.spoken)) in without_space(reply)
    assert max(map(said.count, said)) == tries
    if code is None:
        assert len(stream.ended) == len(stream.segments)
    else:
        first = next(i for i, text in enumerate([*stream.segments, "Seine"]) if "Seine" in text)
        assert stream.error["stage"] == "tts"
        assert stream.ended == list(range(first))
        assert len(stream.segments) <= first + 1
    streams.is_quiet(service)


def test_a_fallback_speaks_where_the_model_is_unknown(service, upstream):
    """It is named once it has answered, and warned of once, however many segments there are."""
    unknown = http(json.dumps({"error": {"code": "model_not_found"}}).encode(), "404 Not Found")
    readings, refused = Readings(), []

    def speak(connection, request):
        if not request.path.endswith("/audio/speech"):
            return readings(connection, request)
        refused.append(request)
        return connection.sendall(unknown) or True

    upstream.answers["tts"] = speak
    stream = streams.listen(service, tts_model="old-1", audio_format="wav")
    assert (stream.code, stream.done["models_used"]["tts"]) == (None, "reader-1")
    assert len(stream.ended) == len(stream.segments) > 2
    replaced = "event=model_replaced stage=tts model=old-1 by=reader-1"
    assert service.logs(replaced)
    assert service.log.count(replaced) == len(refused) == 1


@pytest.mark.parametrize("model", SPEAKERS)
def test_times_are_told(service, upstream, model):
    """From the request's headers on, and from a segment's call; comments break the silence."""

    def late(connection, request):
        time.sleep(2 * SILENCE)
        connection.sendall(good(request))
        return True

    upstream.answers["text"] = streams_chat()
    upstream.answers |= {"stt": late, "tts": streams.speaks(model, first=2 * SILENCE)}
    with streams.caller(service, tts_model=model) as connection:
        received = streams.until(connection, b"event: done\n")
    data = {
        name: json.loads(received.partition(b"event: %b\ndata: " % name)[2].partition(b"\n")[0])
        for name in (b"transcript", b"segment")
    }
    waited = 2000 * SILENCE
    assert waited <= data[b"transcript"]["at"] < waited + 1000 * streams.END_SECONDS
    segment = data[b"segment"]
    assert waited <= segment["at"] - segment["began"] < waited + 1000 * streams.END_SECONDS
    silence = received.partition(b"event: segment\n")[0].rpartition(b"event: text\n")[2]
    assert silence.count(b":\n\n") >= 2


def test_a_long_reply_arrives_whole(service, upstream):
    reply = " ".join(f"This is sentence {number} of a long reply." for number in range(300))
    assert len(reply) > 2 * 4096
    pace = Pace(between=2 * REQUEST / (len(reply) / 4))
    upstream.answers["text"] = streams_chat(reply=lambda body: reply, pace=pace)
    begun = time.monotonic()
    stream = streams.listen(service)
    assert time.monotonic() - begun > 1.5 * REQUEST
    assert (stream.text, stream.code) == (reply, None)
    assert without_space("".join(stream.spoken)) == without_space(reply)


def test_a_stream_has_an_end(upstream, tmp_path):
    """However steadily the upstream sends: a reply without an end would hold its slot for good."""
    limit = "\nfrom parley.conversation import spoken_reply\n"
    limit += f"spoken_reply.STREAM_SECONDS = {STREAM}\n"
    reply = REPLY * 20
    pace = Pace(between=4 * STREAM / (len(reply) / 4))
    upstream.answers["text"] = streams_chat(reply=lambda body: reply, pace=pace)
    with streams.served(tmp_path, upstream.url, limit, DEADLINE) as service:
        begun = time.monotonic()
        stream = streams.listen(service)
        assert STREAM <= time.monotonic() - begun < STREAM + streams.END_SECONDS
        streams.is_quiet(service)
    assert stream.code == "deadline_exceeded"
    assert reply.startswith(stream.text)


def test_a_stream_holds_its_slot_to_its_end(service, upstream):
    upstream.answers["text"] = streams_chat("stalls", reply=lambda body: REPLY)
    with ExitStack() as stack:
        for _ in range(streams.CAPACITY):
            streams.until(stack.enter_context(streams.caller(service)), b"event: text\n")
        with closing(streams.post(service)) as refused:
            assert refused.status_code == 503
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY)
    streams.all_slots_are_free(service)
    streams.is_quiet(service)
