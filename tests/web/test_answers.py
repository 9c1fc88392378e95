"""Answers: speech in JSON, streams, errors of every section, and a conversation's log line."""

import base64
import json
import logging
import re
import time
from contextlib import closing
from io import BytesIO
from itertools import islice
from unittest.mock import Mock

import gevent
import pytest
from flask import Blueprint, abort, request
from logfmter import Logfmter
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import MAIN, PATH, TTS
from testing.fake_openai import REPLY
from testing.fake_streams import streams_chat, streams_speech
from testing.stream_readers import events_of, heard
from werkzeug.test import EnvironBuilder

from parley import log
from parley.conversation.event_order import Backlog
from parley.conversation.stages import Conversation
from parley.errors import AudioEmpty, Interrupted
from parley.memory import Usage
from parley.upstream.calls import AttemptRecord
from parley.web.answers import PIECE_BYTES, ConversationSchema, json_of
from parley.web.app import create_app
from parley.web.request_record import current_record


@pytest.mark.parametrize(
    "length", [0, 1, 2, 3, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES]
)
def test_the_speech_is_where_it_belongs(client, length):
    """Read and encoded piece by piece, as it is written."""
    speech = bytes(number % 251 for number in range(length))
    spool = Usage().spool()
    spool.write(speech)
    spool.seek(0)
    with client.application.test_request_context("/"):
        heard = Conversation({}, transcript='a","audio":"" b', speech=spool)
        response = json_of(heard, ConversationSchema())
    arriving = iter(response.response)
    pieces = [next(arriving)]
    assert spool.seek(0, 1) <= PIECE_BYTES
    pieces += arriving
    assert max(map(len, pieces)) < 100_000
    assert sum(map(len, pieces)) == response.content_length
    answer = json.loads(b"".join(pieces))
    assert answer["transcript"] == 'a","audio":"" b'
    assert answer["audio"] == base64.b64encode(speech).decode()


@pytest.mark.parametrize("read", [1, 3, None])
def test_the_line_tells_what_was_written_and_whether_it_was_cut(client, openai, logged, read):
    """Once the answer has ended; the piece on its way does not count. Only a cut is a warning."""
    openai.post(TTS, content=b"ID3" + bytes(500_000))
    logged.set_level(logging.INFO)
    form, headers = {"audio": (BytesIO(wav()), "a.wav")}, {**MAIN, "X-Request-ID": "id-1"}
    environ = EnvironBuilder(PATH, method="POST", headers=headers, data=form).get_environ()
    with closing(client.application(environ, lambda *_: None)) as body:
        pieces = iter(body)
        sizes = [len(next(pieces))]
        time.sleep(0.3)
        assert "total_ms" not in logged.text
        sizes += map(len, islice(pieces, read and read - 1))
    assert [record.levelname for record in logged.records] == ["WARNING" if read else "INFO"]
    told = dict(re.findall(r"(\w+)=(\S*)", logged.text))
    assert (told["request_id"], told["status"]) == ("id-1", "200")
    cut = ("answer_cut", "tts", "caller_disconnected")
    assert (told.get("event"), told["stage"], told["code"]) == (cut if read else (None, "", ""))
    assert int(told["bytes_out"]) == sum(sizes[:-1] if read else sizes)
    assert float(told["total_ms"]) >= 300


bp = Blueprint("failing", __name__, url_prefix="/failing")


@bp.get("/abort/<int:status>")
def give_up(status):
    abort(status)


@bp.get("/raise")
def fail():
    raise AudioEmpty


@bp.get("/break")
def fail_unforeseen():
    raise RuntimeError(request.args["text"])


@bp.get("/talk/<int:calls>")
def talk(calls):
    ids = [f"req_{KEY[-6:]}", *(f"{number}".ljust(128, ".") for number in range(1, calls))]
    attempts = [AttemptRecord(False, each) for each in ids]
    current_record().conversation = Conversation({}, attempts=attempts)
    return "talked"


@pytest.fixture
def caller():
    """A caller of an application with another section than the conversation's."""
    return create_app(make_app().extensions["parley"], [bp]).test_client()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no", 404, "not_found"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/failing/abort/400", 400, "request_malformed"),
        ("GET", "/failing/abort/415", 415, "unsupported_media_type"),
        ("GET", "/failing/abort/503", 503, "service_unavailable"),
        ("GET", "/failing/raise", 400, "audio_empty"),
        ("GET", "/failing/break", 500, "internal_error"),
    ],
)
def test_each_failure_has_its_status_and_code(caller, logged, method, path, status, code):
    """What nobody foresaw is logged with its kind and place, but no text, which may quote a key."""
    response = caller.open(f"{path}?text=sk-secret", method=method)
    assert (response.status_code, list(response.json)) == (status, ["success", "errors"])
    assert response.json["errors"][0]["code"] == code
    assert response.headers["Cache-Control"] == "no-store"
    assert ("GET" in response.headers.get("Allow", "")) is (status == 405)
    assert "secret" not in response.text + logged.text
    for told in ("code=internal_error", "kind=RuntimeError", "fail_unforeseen"):
        assert (told in logged.text) is (status == 500)


@pytest.mark.parametrize(("calls", "more"), [(20, ""), (21, "_ids=1"), (4500, "_ids=4480")])
def test_twenty_ids_of_the_upstream_are_named(caller, logged, calls, more):
    """A conversation's line has a limit, however long the conversation is."""
    logged.set_level("INFO", "parley")
    caller.get(f"/failing/talk/{calls}", headers={"X-OpenAI-API-Key": KEY}).close()
    [line] = logged.text.splitlines()
    assert line.endswith(more)
    assert ("more_upstream_ids" in line) is bool(more)
    assert "upstream_ids=,1...." in line
    assert "19...." in line
    assert "20...." not in line
    assert len(line) < 8000


@pytest.mark.parametrize("first", range(0, 0x180, 0x80))
def test_a_text_is_quoted_where_logfmt_asks_for_it(first):
    """Most texts need no quotes, and are not looked at further."""
    signs = [chr(code) for code in range(first, first + 0x80)]
    for text in ["", *signs, *(f"a{sign}b" for sign in signs), *(f"\\{sign}" for sign in signs)]:
        assert log.Formatter.format_string(text) == Logfmter.format_string(text)


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
