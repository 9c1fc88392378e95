"""How a stream ends before its reply does: at each event the deadline, a stop, a caller who leaves.

Each of them as well over the Realtime API, whose WebSocket stays open between two segments.
"""

import time
from contextlib import ExitStack, closing
from itertools import chain

import pytest
from testing import fake_openai as fake
from testing import served_streams as streams
from testing.fake_streams import Silent, streams_chat
from testing.served_streams import REPLY
from testing.stream_readers import events_of, heard

SILENCE = 1
"""The service's deadline here: the longest wait for the upstream once there is a transcript."""


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    with streams.served(
        tmp_path_factory.mktemp("service"), served_upstream.url, deadline=SILENCE
    ) as running:
        yield running


def stopped_at(upstream, event, model):
    """Have the upstream go no further once that event was told; what is then still under way."""
    chat_row, speech_row = streams.WHILE[event]
    chat = upstream.answers["text"] = streams_chat(chat_row, reply=lambda body: REPLY)
    speech = upstream.answers["tts"] = streams.speaks(model, speech_row)
    under_way = [chat] if chat_row != "whole" else []
    return [*under_way, speech] if speech_row != "whole" else under_way


@pytest.mark.parametrize("model", streams.SPEAKERS)
@pytest.mark.parametrize("event", streams.WHILE)
def test_the_deadline_ends_a_silence_at_any_event(service, upstream, event, model):
    """No sooner and not much later; what was written before is told, then `error` and `done`."""
    stopped_at(upstream, event, model)
    told = []

    def timed(events):
        for name, data in events:
            told.append((name, data["at"] / 1000))
            yield name, data

    with closing(streams.post(service, tts_model=model)) as response:
        stream = heard(timed(events_of(response.iter_content(None))))
    assert stream.code == "deadline_exceeded"
    assert stream.error["stage"] in {"audio": ("tts",), "transcript": ("text",)}.get(
        event, ("text", "tts")
    )
    assert event in stream.names
    last, end = told[-3][1], told[-2][1]  # Of what the upstream sent, and of `error`.
    assert SILENCE <= end < last + SILENCE + streams.END_SECONDS
    streams.is_quiet(service)


@pytest.mark.parametrize("model", streams.SPEAKERS)
@pytest.mark.parametrize("leave", streams.LEAVES)
@pytest.mark.parametrize("event", streams.WHILE)
def test_nothing_is_done_for_a_caller_who_has_left(patient_service, upstream, event, leave, model):
    """At whichever event, and however it leaves, all calls under way are ended within a second."""
    under_way = stopped_at(upstream, event, model)
    with streams.caller(patient_service, tts_model=model) as connection:
        received = streams.until(connection, f"event: {event}\n".encode())
        streams.until_asked(upstream, "text" if event == "transcript" else "tts")
        left = time.monotonic()
        streams.LEAVES[leave](connection)
        for call in under_way:
            assert call.left.wait(left + streams.END_SECONDS - time.monotonic()), call
        line = streams.log_line(patient_service, streams.request_id_of(received))
    assert "event=answer_cut" in line
    stage = "text" if event == "transcript" else "tts"
    assert f"status=200 stage={stage} code=caller_disconnected" in line
    streams.is_quiet(patient_service)


@pytest.mark.parametrize("leave", streams.LEAVES)
def test_no_transcript_is_awaited_for_a_caller_who_has_left(patient_service, upstream, leave):
    """Nothing of the stream was told yet."""
    hearer = upstream.answers["stt"] = Silent()
    with streams.caller(patient_service) as connection:
        streams.until_asked(upstream, "stt")
        streams.LEAVES[leave](connection)
        assert hearer.left.wait(streams.END_SECONDS)
    upstream.answers = {"text": streams_chat()}
    streams.all_slots_are_free(patient_service)
    streams.is_quiet(patient_service)


READ = [("text", "reader-1"), ("audio", "reader-1")]
STOPPED = [*((event, "tts-1") for event in streams.WHILE), *READ]


def test_a_stopping_service_ends_its_streams_with_an_event(tmp_path):
    """In time before the end of the grace period, whatever each of them waits for."""
    with ExitStack() as opened:
        hosts = [opened.enter_context(fake.running()) for _ in STOPPED]
        under_way = [stopped_at(host, *row) for host, row in zip(hosts, STOPPED, strict=True)]
        limits = {"PARLEY_CAPACITY": str(len(STOPPED)), "PARLEY_ALLOWED_BASE_URLS": "*"}
        served = streams.served(tmp_path, hosts[0].url, deadline=25, **limits)
        service = opened.enter_context(served)
        begun = []
        for host, (event, model) in zip(hosts, STOPPED, strict=True):
            response = opened.enter_context(
                closing(streams.post(service, base_url=host.url, tts_model=model))
            )
            rest = events_of(response.iter_content(None))
            told = [next(rest)]
            while told[-1][0] != event:
                told.append(next(rest))
            begun.append(chain(told, rest))
        service.process.terminate()
        for (event, model), events, calls in zip(STOPPED, begun, under_way, strict=True):
            stream = heard(events)
            assert stream.code == "interrupted", (event, model)
            assert stream.error["stage"] == ("tts" if event == "audio" else "text")
            for call in calls:
                assert call.left.wait(streams.END_SECONDS), (event, model)
        assert service.process.wait(streams.GRACE + streams.END_SECONDS) == 0
        streams.is_quiet(service)
