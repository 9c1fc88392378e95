"""A stream of events through Flask alone, and where something of ours fails."""

from io import BytesIO

import gevent
import pytest
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import MAIN, PATH
from testing.fake_openai import REPLY
from testing.fake_streams import streams_chat, streams_speech
from testing.stream_readers import events_of, heard

from parley.conversation.event_order import Backlog
from parley.errors import Interrupted


@pytest.fixture
def converse(upstream):
    """Holds a streamed conversation with the application, without gunicorn."""
    upstream.answers = {"text": streams_chat(), "tts": streams_speech()}
    client = make_app(PARLEY_OPENAI_BASE_URL=upstream.url).test_client()
    headers = {**MAIN, "Accept": "text/event-stream"}
    return lambda: client.post(PATH, headers=headers, data={"audio": (BytesIO(wav()), "a.wav")})


@pytest.fixture
def spawned(monkeypatch):
    """The greenlets that are started during a test."""
    started, spawn = [], gevent.spawn

    def noted(*arguments, **options):
        started.append(spawn(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(gevent, "spawn", noted)
    return started


def test_a_stream_needs_no_gunicorn(converse, spawned):
    """`flask run` is for development, and streams as well."""
    response = converse()
    stream = heard(events_of(response.response))
    response.close()
    assert (stream.text, stream.code) == (REPLY, None)
    assert stream.spoken == [REPLY]
    assert len(spawned) > 1
    assert all(greenlet.dead for greenlet in spawned)


@pytest.mark.parametrize("broken", ["add_text", "add_sound", "take"])
def test_a_failure_of_ours_is_told(converse, monkeypatch, logged, broken):
    """The stream ends as the contract says, and the log holds no text of the error."""

    def fail(*_, **__):
        raise RuntimeError(f"a bug, and {KEY}")

    monkeypatch.setattr(Backlog, broken, fail)
    response = converse()
    stream = heard(events_of(response.response))
    response.close()
    assert stream.code == "internal_error"
    assert stream.error["stage"] in ("text", "tts")
    assert "kind=RuntimeError" in logged.text
    assert KEY not in logged.text


def test_an_answer_that_nobody_begins_to_read_starts_no_work(converse, upstream):
    """The server may fail to send the headers: then nothing has to be ended."""
    response = converse()
    assert response.status_code == 200
    response.close()
    assert [request.stage for request in upstream.requests] == ["stt"]


def test_a_stream_that_is_closed_amid_ends_its_work(converse, upstream, logged, spawned):
    """As gunicorn closes it when writing fails; the line in the log says that it was cut."""
    logged.set_level("INFO")
    upstream.answers["text"] = streams_chat("stalls", reply=lambda body: REPLY * 9)
    response = converse()
    pieces = iter(response.response)
    assert next(pieces) + next(pieces)
    response.close()
    assert all(greenlet.dead for greenlet in spawned)
    assert "event=answer_cut" in logged.text
    assert "status=200 stage=text code=caller_disconnected" in logged.text


@pytest.mark.parametrize("looks", [1, 3, 4])
@pytest.mark.parametrize("error", [Interrupted, RuntimeError])
def test_the_deltas_are_the_reply_wherever_a_stream_is_ended(
    converse, upstream, monkeypatch, looks, error
):
    """Text that was about to be told is in neither; `heard` compares the two."""
    upstream.answers["text"] = streams_chat("drips", reply=lambda body: "It is Paris. " * 9)
    count = iter(range(100))

    def left():
        if next(count) >= looks:
            raise error()

    monkeypatch.setattr("parley.web.event_stream.LOOK_SECONDS", 0)
    monkeypatch.setattr("parley.web.event_stream.end_of_streams.require_time", left)
    response = converse()
    stream = heard(events_of(response.response))
    response.close()
    assert stream.code == ("interrupted" if error is Interrupted else "internal_error")
