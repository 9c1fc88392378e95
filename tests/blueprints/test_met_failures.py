"""Upstreams' failures as they were met: whose reason it was, and in which words."""

import json

import pytest
from testing import fake_realtime as realtime
from testing import met_failures as rows
from testing.builders import KEY, make_app
from testing.fake_openai import REPLY, TRANSCRIPT, http
from testing.met_answers import answers, chunk, streamed
from testing.met_failures import REASON
from testing.representations import REPRESENTATIONS, post, spread, told
from testing.unknown_models import KNOWN, MODELS, UNKNOWN, knows_no_model
from testing.upstream_faults import says


def fails(upstream, stage: str, status: object, body: object, **headers: str) -> None:
    """Let a stage answer so, whatever is sent."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    upstream.answers[stage] = says(
        http(data, f"{status} X", Content_Type="application/json", **headers)
    )


def tries(upstream, stage: str) -> int:
    return [request.stage for request in upstream.requests].count(stage)


def check(upstream, accept, stage: str, code: str, count: int, status_at_stt: int) -> str:
    """Post; what the upstream's failure became. The message is returned."""
    answer = told(post(upstream, accept))
    assert (answer.code, answer.stage) == (code, stage)
    assert answer.status == (status_at_stt if stage == "stt" else 206)
    assert answer.transcript == ("" if stage == "stt" else TRANSCRIPT)
    assert answer.reply == (REPLY if stage == "tts" else "")
    assert answer.sound == b""
    assert tries(upstream, stage) == count
    return answer.message


@spread(rows.SHAPES)
def test_the_reason_is_read_from_every_shape(met, accept, stage, row):
    """The one sentence that helps is told."""
    fails(met, stage, 400, rows.SHAPES[row])
    assert check(met, accept, stage, "upstream_rejected", 1, 400).count(REASON) == 1


@spread(rows.TEXTS)
def test_a_text_is_a_reason_and_a_page_is_none(met, accept, stage, row):
    """Many refuse in plain words; what was cut, or is markup, says nothing to a caller."""
    body, is_told = row
    fails(met, stage, 400, body)
    message = check(met, accept, stage, "upstream_rejected", 1, 400)
    said = is_told if isinstance(is_told, str) else f": {body.strip()}"
    assert message.endswith(f"saying{said}") is bool(is_told)


@spread(rows.SHAPES)
def test_a_failure_under_200_is_one(met, accept, stage, row):
    """Without a code it is malformed, and its reason is told all the same."""
    body = json.loads(json.dumps(rows.SHAPES[row]).replace("400", "null"))
    fails(met, stage, 200, body)
    assert REASON in check(met, accept, stage, "upstream_malformed", 1, 500)


@spread(rows.CODES)
@pytest.mark.parametrize("has_answer", [False, True], ids=["alone", "beside an answer"])
def test_a_code_under_200_counts_as_the_status(met, accept, stage, row, has_answer):
    """And an error counts whatever else there is; its reason is told."""
    code, told_as, count, status = row
    choice = {"message": {"content": ""}, "delta": {"content": ""}, "finish_reason": "stop"}
    beside = {"text": TRANSCRIPT, "choices": [choice]} if has_answer else {}
    fields = code if isinstance(code, dict) else {"code": code}
    fails(met, stage, 200, {**beside, "error": {"message": "Overloaded.", **fields}})
    assert "Overloaded." in check(met, accept, stage, told_as, count, status)


@spread(rows.STATUSES)
def test_a_status_is_understood_and_its_reason_told(met, accept, stage, row):
    """For every status, and only what may pass is tried again."""
    http_status, error, headers, code, count, status = row
    fails(met, stage, http_status, {"error": error}, **headers)
    assert error["message"] in check(met, accept, stage, code, count, status)


@spread(UNKNOWN)
def test_a_model_that_is_not_known_is_replaced(met, accept, stage, row):
    """In any of the shapes, after one call: the replacement answers, and models_used says so."""
    status, body = row
    name = MODELS[stage]
    answer = http(json.dumps(body).replace("{}", name).encode(), f"{status} X")
    refused = knows_no_model(met, stage, says(answer))
    answered = told(post(met, accept))
    assert (answered.status, answered.code) == (200, None)
    assert answered.models[stage] != name
    assert len(refused) == 1


@spread(KNOWN)
def test_what_is_not_about_the_model_replaces_none(met, accept, stage, row):
    """A voice, a parameter, a wrong address: one call, and the reason."""
    status, body = row[0], json.loads(json.dumps(row[1]).replace("{}", MODELS[stage]))
    fails(met, stage, status, body)
    check(met, accept, stage, "upstream_rejected", 1, 400)


@spread(
    [
        *((status, 500, said, False) for status in (504, 200) for said in rows.ADDRESSES),
        *((status, 500, said, True) for status in (504, 200) for said in rows.NO_ADDRESSES),
        *((200, name, rows.ADDRESSES[2], blames) for name, blames in rows.BLAMES),
    ]
)
def test_where_the_operators_hosts_stand_is_not_told(met, accept, stage, row):
    """When they fail; what else they say of it is, and what blames the request."""
    status, code, message, is_told = row
    fails(met, stage, status, {"error": {"message": message, "code": code}})
    assert (message in told(post(met, accept)).message) is is_told


@spread(rows.ADDRESSES)
def test_a_sentence_beside_that_of_an_address_is_told(met, accept, stage, row):
    """Under 200, where hosts refuse, too, with a link to what they refuse."""
    fails(met, stage, 200, {"error": {"message": f"{REASON}. {row}. Sorry!", "code": "x"}})
    message = told(post(met, accept)).message
    assert message.endswith(f"saying: {REASON}. Sorry!")


@pytest.mark.parametrize(
    ("long", "seen"),
    [("Failed. " * 36 + "At 10.11.12.13", "Failed."), ("10.11.12.13 " * 40, "reached")],
)
def test_a_long_reason_is_judged_as_it_is_told(met, long, seen):
    """By whole words: an address that is cut off hides nothing, and is not shown in part."""
    fails(met, "text", 500, {"error": {"message": long}})
    message = told(post(met)).message
    assert seen in message
    assert "10.11" not in message


@pytest.mark.parametrize("message", rows.ADDRESSES)
def test_a_host_that_the_caller_named_may_tell_it(met, message):
    """As may a refusal, which the caller has to understand."""
    fails(met, "text", 400, {"error": {"message": message}})
    assert message in told(post(met)).message
    fails(met, "text", 500, {"error": {"message": message}})
    app = make_app(PARLEY_ALLOWED_BASE_URLS="*")
    response = post(met, headers={"X-OpenAI-Base-URL": met.url}, app=app)
    assert message in told(response).message


@pytest.mark.parametrize(("repeated", "is_told"), [(400_000, True), (600_000, False)])
def test_a_refusal_may_repeat_what_it_was_sent_and_is_read_no_further(met, repeated, is_told):
    """As validators do with each field; what is longer keeps its status."""
    fails(met, "text", 422, {"detail": REASON, "input": "x" * repeated})
    answer = told(post(met))
    assert (answer.code, REASON in answer.message) == ("upstream_rejected", is_told)


@spread([400, 401, 429, 500, 501, 200, "amid a stream"])
def test_no_reason_shows_a_key(met, accept, stage, row):
    """Nor what is not printable: the error's own sentence stands. No id or type shows it either."""
    for message in (f"Wrong key {KEY[:9]}", f"…{KEY[-4:]}", "a\x07bell", "half \ud800"):
        error = {"error": {"message": message, "type": KEY, "param": KEY}}
        if row == "amid a stream":
            answers(met, "text", streamed(chunk("Yes."), error), x_request_id=KEY)
        else:
            fails(met, stage, row, error, x_request_id=KEY)
        response = post(met, accept)
        assert message not in told(response).message
        assert KEY[:9] not in f"{response.headers}{response.data!r}"


@spread([(401, False), (200, False), (401, True), (200, True)])
def test_a_key_that_is_missing_at_a_stage_is_asked_for(met, accept, stage, row):
    """The sentence names the header in which the stage's key is sent."""
    status, own_host = row
    host = {f"PARLEY_{stage.upper()}_BASE_URL": met.url} if own_host else {}
    app = make_app(PARLEY_OPENAI_BASE_URL=met.url, PARLEY_KEY_REQUIRED="no", **host)
    fails(met, stage, status, {"error": {"message": "No key.", "code": 401}})
    answer = told(post(met, accept, {"X-OpenAI-API-Key": ""}, app))
    assert (answer.code, answer.stage) == ("api_key_missing", stage)
    assert answer.status == (401 if stage == "stt" else 206)
    name = {"stt": "STT", "text": "Text", "tts": "TTS"}[stage]
    assert (f"X-{name}-API-Key" if own_host else "X-OpenAI-API-Key") in answer.message


@REPRESENTATIONS
@pytest.mark.parametrize("name", rows.SESSIONS)
def test_an_event_of_the_realtime_api_is_read_as_any_failure(met, accept, name):
    """With its reason, and after as many tries."""
    event, code, count = rows.SESSIONS[name]
    met.answers["tts"] = realtime.plays(lambda session: session.send_text(json.dumps(event)))
    answer = told(post(met, accept, tts_model="gpt-realtime-2.1-mini"))
    assert (answer.status, answer.code, answer.stage) == (206, code, "tts")
    assert REASON in answer.message
    assert tries(met, "tts") == count


@REPRESENTATIONS
@pytest.mark.parametrize(("number", "reason", "code", "count"), rows.CLOSES)
def test_the_reason_of_a_close_frame_is_told(met, accept, number, reason, code, count):
    """Some open a WebSocket to whoever asks, and say in its close frame why they will not speak."""

    def refuses(session: realtime.Session) -> None:
        session.protocol.send_close(number, reason)
        session.flush()

    met.answers["tts"] = realtime.plays(refuses)
    answer = told(post(met, accept, tts_model="gpt-realtime-2.1-mini"))
    assert (answer.status, answer.code, answer.stage) == (206, code, "tts")
    assert reason in answer.message
    assert tries(met, "tts") == count
