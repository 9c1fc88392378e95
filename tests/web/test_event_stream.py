"""A stream of events through Flask alone, and where something of ours fails."""

from contextlib import closing
from io import BytesIO
from unittest.mock import Mock

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


@pytest.mark.parametrize("broken", ["add_text", "add_sound", "take"])
def test_a_failure_of_ours_is_told(converse, monkeypatch, logged, broken):
    """The stream ends as the contract says, and the log holds no text of the error."""

    def fail(*_, **__):
        raise RuntimeError(f"a bug, and {KEY}")

    monkeypatch.setattr(Backlog, broken, fail)
    with closing(converse()) as response:
        stream = heard(events_of(response.response))
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


def test_a_stream_that_is_closed_amid_ends_its_work(converse, upstream, logged, monkeypatch):
    """As gunicorn closes it when writing fails; the line in the log says that it was cut."""
    logged.set_level("INFO")
    upstream.answers["text"] = streams_chat("stalls", reply=lambda body: REPLY * 9)
    started, spawn = [], gevent.spawn

    def noted(*arguments):
        started.append(spawn(*arguments))
        return started[-1]

    monkeypatch.setattr(gevent, "spawn", noted)
    response = converse()
    pieces = iter(response.response)
    assert next(pieces) + next(pieces)
    response.close()
    assert len(started) > 1
    assert all(greenlet.dead for greenlet in started)
    assert "event=answer_cut" in logged.text
    assert "status=200 stage=text code=caller_disconnected" in logged.text


@pytest.mark.parametrize("looks", [1, 3, 4])
def test_the_deltas_are_the_reply_wherever_a_stream_is_ended(
    converse, upstream, monkeypatch, looks
):
    """Text that was about to be told is in neither; `heard` compares the two."""
    upstream.answers["text"] = streams_chat("drips", reply=lambda body: "It is Paris. " * 9)
    ends = Mock(side_effect=[*[None] * looks, Interrupted()])
    monkeypatch.setattr("parley.web.event_stream.LOOK_SECONDS", 0)
    monkeypatch.setattr("parley.web.event_stream.end_of_streams.require_time", ends)
    with closing(converse()) as response:
        assert heard(events_of(response.response)).code == "interrupted"
