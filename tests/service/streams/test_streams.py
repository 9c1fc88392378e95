"""Streamed answers as they are served: each event in its turn, and each fault amid."""

import json
from contextlib import ExitStack, closing

import pytest
from testing import served_streams as streams
from testing.fake_openai import TRANSCRIPT, http
from testing.fake_realtime import Readings
from testing.fake_streams import streams_chat, streams_speech
from testing.served_streams import REPLY

READER = {"tts_model": "reader-1"}


@pytest.mark.parametrize("model", ["tts-1", "reader-1"])
@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
def test_a_stream_tells_all_of_a_conversation(service, upstream, form, model):
    """Text and sound are whole, in order and once, whatever speaks; the log tells of it."""
    if model == "reader-1":
        upstream.answers["tts"] = Readings()
    stream = streams.listen(service, audio_format=form, tts_model=model)
    assert (stream.transcript, stream.text) == (TRANSCRIPT, REPLY)
    assert len(stream.segments) > 2
    assert stream.form == form
    assert stream.voices == {"alloy"}
    assert stream.done["models_used"] == {"stt": "whisper-1", "text": "gpt-4o", "tts": model}
    assert len(stream.ended) == len(stream.segments)
    if (form, model) != ("mp3", "reader-1"):  # There the mp3 is ours, of the coded PCM.
        assert without_space("".join(stream.spoken)) == without_space(REPLY)
    line = streams.log_line(service, stream.request_id)
    for part in ("status=200", "text_ms=", "tts_ms=", "total_ms=", f"tts_model={model}"):
        assert part in line
    assert "level=warn" not in line
    assert "answer_cut" not in line
    streams.is_quiet(service)


def test_the_headers_of_a_stream(service):
    """Nothing between may gather, keep or change it."""
    with closing(streams.post(service)) as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert "Accept" in response.headers["Vary"]
        assert response.headers["X-Request-ID"]
        response.content  # noqa: B018  # Reads it to its end.


# By the chat stream's row: the code, and whether all or half or none of the reply was told.
# testing/met_streams.py has what the events may hold.
CHAT_FAULTS = {
    "split characters": (None, 1),
    "drips": (None, 1),
    "length": ("text_incomplete", 1),
    "silent": ("deadline_exceeded", 0),
    "head alone": ("deadline_exceeded", 0),
    "stalls": ("deadline_exceeded", 0.5),
    "cut": ("upstream_unavailable", 0.5),
    "reset": ("upstream_unavailable", None),
    "fails": ("upstream_unavailable", 0),
}


@pytest.mark.parametrize("row", CHAT_FAULTS)
def test_whatever_the_chat_stream_does_the_stream_ends_well(service, upstream, row):
    """What was written is told and spoken; then come the error and `done`."""
    code, share = CHAT_FAULTS[row]
    reply = "Yes, of course. " * 3 if row == "drips" else REPLY
    upstream.answers["text"] = streams_chat(row, reply=lambda body: reply)
    stream = streams.listen(service)
    assert stream.code == code
    if share is not None:
        kept = reply[: int(len(reply) * share)]
        assert abs(len(stream.text) - len(kept)) <= 4
        assert reply.startswith(stream.text)
        assert stream.text == "".join(stream.segments)
        assert len(stream.ended) == len(stream.segments)
    if stream.error:
        assert stream.error["stage"] == "text"
    streams.is_quiet(service)


SPEECH_FAULTS = {
    "odd pieces": None,
    "drips": None,
    "empty": "upstream_malformed",
    "silent": "deadline_exceeded",
    "head alone": "deadline_exceeded",
    "stalls": "deadline_exceeded",
    "cut": "upstream_unavailable",
    "reset": "upstream_unavailable",
    "fails": "upstream_unavailable",
}
READING_FAULTS = {
    "closes after": None,
    "cut after": None,
    "drips": None,
    "reworded": None,
    "closes amid": "upstream_unavailable",
    "cut amid": "upstream_unavailable",
    "silent": "deadline_exceeded",
    "stalls": "deadline_exceeded",
    "empty": "upstream_malformed",
    "error": "rate_limited",
    "failed": "upstream_unavailable",
    "incomplete": "upstream_malformed",
}


def without_space(text):
    """Sentences that are spoken together get a space between them where there was none."""
    return "".join(text.split())


def of_one(row):
    """That row for the segment about the river, and none for the others."""
    return lambda text: row if "Seine" in text else "whole"


def is_whole_or_broken_at(stream, code, where):
    assert stream.text == REPLY
    assert stream.code == code
    if code is None:
        assert len(stream.ended) == len(stream.segments)
        return
    assert stream.error["stage"] == "tts"
    first = next(i for i, text in enumerate([*stream.segments, where]) if where in text)
    assert stream.ended == list(range(first))
    assert len(stream.segments) <= first + 1


@pytest.mark.parametrize("row", SPEECH_FAULTS)
def test_whatever_a_segments_speech_does_the_text_is_whole(service, upstream, row):
    """No sound follows a failure, what comes before it is whole, and the text goes on."""
    upstream.answers["tts"] = streams_speech(of_one(row))
    stream = streams.listen(service)
    is_whole_or_broken_at(stream, SPEECH_FAULTS[row], "Seine")
    assert without_space("".join(stream.spoken)) in without_space(REPLY)
    streams.is_quiet(service)


@pytest.mark.parametrize("row", READING_FAULTS)
def test_whatever_a_reading_does_the_text_is_whole(service, upstream, row):
    """A WebSocket that closes between two segments is opened anew."""
    upstream.answers["tts"] = Readings(of_one(row))
    stream = streams.listen(service, audio_format="pcm", **READER)
    is_whole_or_broken_at(stream, READING_FAULTS[row], "Seine")
    streams.is_quiet(service)


def test_a_fallback_speaks_where_the_model_is_unknown(service, upstream):
    """It is named once it has answered, and warned of once, however many segments there are."""
    unknown = {"error": {"message": "No.", "code": "model_not_found"}}
    readings = Readings()

    def speak(connection, request):
        if request.path.endswith("/audio/speech"):
            connection.sendall(http(json.dumps(unknown).encode(), "404 Not Found"))
            return True
        return readings(connection, request)

    upstream.answers["tts"] = speak
    stream = streams.listen(service, tts_model="old-1", audio_format="wav")
    assert stream.code is None
    assert stream.done["models_used"]["tts"] == "reader-1"
    assert len(stream.ended) == len(stream.segments) > 2
    replaced = "event=model_replaced stage=tts model=old-1 by=reader-1"
    assert service.logs(replaced)
    assert service.log.count(replaced) == 1
    asked = [request.path for request in upstream.requests if request.stage == "tts"]
    assert len([path for path in asked if path.endswith("/audio/speech")]) == 1


def test_a_stream_holds_its_slot_to_its_end(service, upstream):
    """No more conversations than there are slots, and each slot comes back."""
    upstream.answers["text"] = streams_chat("stalls", reply=lambda body: REPLY)
    with ExitStack() as stack:
        for _ in range(streams.CAPACITY):
            streams.until(stack.enter_context(streams.caller(service)), b"event: text\n")
        with closing(streams.post(service)) as refused:
            assert refused.status_code == 503
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY)
    streams.all_slots_are_free(service)
    streams.is_quiet(service)
