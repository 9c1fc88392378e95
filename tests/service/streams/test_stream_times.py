"""When a stream tells what, how long it may take, and that no reply is too long for it."""

import time

import pytest
from testing import served_streams as streams
from testing.fake_openai import good
from testing.fake_streams import Pace, streams_chat, streams_speech
from testing.served_streams import REPLY
from testing.stream_readers import events_of

STREAM = 2
"""Seconds that bound a whole stream here."""


@pytest.fixture(scope="module")
def short_service(served_upstream, tmp_path_factory):
    """One whose streams may last only STREAM seconds."""
    limit = f"\nfrom parley.conversation import stages\nstages.STREAM_SECONDS = {STREAM}\n"
    with streams.served(
        tmp_path_factory.mktemp("short"), served_upstream.url, limit, deadline=25
    ) as running:
        yield running


def told(service, name, **fields):
    """The data of the first event of that name."""
    with streams.post(service, **fields) as response:
        events = list(events_of(response.iter_content(None)))
    return next(data for event, data in events if event == name)


def test_at_counts_from_the_requests_headers(patient_service, upstream):
    """What the caller waited for its transcript is in it."""

    def late(connection, request):
        time.sleep(1)
        connection.sendall(good(request))
        return True

    upstream.answers["stt"] = late
    assert 1000 <= told(patient_service, "transcript")["at"] < 1000 * streams.END_SECONDS


@pytest.mark.parametrize("model", streams.SPEAKERS)
def test_began_is_when_speech_was_asked_for(patient_service, upstream, model):
    """So that a caller can tell how long the voice took."""
    upstream.answers["tts"] = streams.speaks(model, pace=Pace(first=1))
    segment = told(patient_service, "segment", tts_model=model)
    assert 1000 <= segment["at"] - segment["began"] < 1000 * streams.END_SECONDS


def test_silence_is_broken_by_comments(patient_service, upstream):
    """A proxy that cuts what is silent sees a byte in time; no client sees an event."""
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY, pace=Pace(first=2.5))
    with streams.caller(patient_service) as connection:
        received = streams.until(connection, b"event: done\n")
    before, _, _ = received.partition(b"event: text\n")
    assert before.count(b":\n\n") >= 2


def test_a_stream_has_an_end(short_service, upstream):
    """However steadily the upstream sends: a reply without an end would hold its slot for good."""
    reply = REPLY * 20
    pace = Pace(between=0.01)
    upstream.answers["text"] = streams_chat(reply=lambda body: reply, pace=pace)
    begun = time.monotonic()
    stream = streams.listen(short_service)
    assert STREAM <= time.monotonic() - begun < STREAM + streams.END_SECONDS
    assert stream.code == "deadline_exceeded"
    assert reply.startswith(stream.text)
    streams.is_quiet(short_service)


def test_the_whole_of_a_long_reply_is_spoken(patient_service, upstream):
    """However long it is: /audio/speech takes 4,096 characters, and each segment is shorter."""
    reply = " ".join(f"This is sentence {number} of a long reply." for number in range(300))
    assert len(reply) > 2 * 4096
    upstream.answers["text"] = streams_chat(reply=lambda body: reply)
    stream = streams.listen(patient_service)
    assert (stream.text, stream.code) == (reply, None)
    assert "".join("".join(stream.spoken).split()) == "".join(reply.split())


@pytest.mark.parametrize(
    ("stage", "row", "tries"),
    [("text", "fails", 3), ("text", "cut", 1), ("tts", "fails", 3), ("tts", "cut", 1)],
)
def test_a_call_is_tried_again_only_before_its_first_byte(
    patient_service, upstream, stage, row, tries
):
    """Else the caller would hear the beginning twice."""
    if stage == "text":
        upstream.answers["text"] = streams_chat(row, reply=lambda body: REPLY)
    else:
        upstream.answers["text"] = streams_chat(reply=lambda body: "It is Paris.")
        upstream.answers["tts"] = streams_speech(lambda text: row)
    stream = streams.listen(patient_service)
    assert stream.code == "upstream_unavailable"
    assert [request.stage for request in upstream.requests].count(stage) == tries
