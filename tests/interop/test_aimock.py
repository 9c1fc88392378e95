"""Conversations with npm's aimock, which answers as OpenAI does, and fails as it is told to."""

from collections.abc import Iterator

import pytest
from testing.aimock import ENDPOINTS, REPLY, answer, model_list, running
from testing.fake_openai import TRANSCRIPT
from testing.gunicorn_process import serving_models
from testing.representations import JSON, REPRESENTATIONS, STREAM, ask, spread

pytestmark = pytest.mark.system


def error(status: int, message: str, **more: object) -> dict[str, object]:
    said = {"message": message, **more}
    return {"response": {"status": status, "error": said, "retryAfter": 0}}


# By the name of the model: what its fixture has, the code, the status at stt, its reason.
FAILURES = {
    "drop": ({"chaos": {"dropRate": 1}}, "upstream_unavailable", 500, "request dropped"),
    "malformed": ({"chaos": {"malformedRate": 1}}, "upstream_malformed", 500, ""),
    "limited": ({"chaos": {"rateLimitRate": 1}}, "rate_limited", 500, "rate limit exceeded"),
    "disconnect": ({"chaos": {"disconnectRate": 1}}, "upstream_unavailable", 500, ""),
    "late": ({"chaos": {"latencyMs": 30_000}}, "deadline_exceeded", 500, ""),
    "refused": (error(400, "Too loud."), "upstream_rejected", 400, "Too loud."),
    "slowly": (error(429, "No.", code="rate_limit_exceeded"), "rate_limited", 500, "No."),
    "wrong": ({"response": {"embedding": [0]}}, "upstream_unavailable", 500, "Fixture response"),
    "unmatched": (None, "upstream_rejected", 400, "No fixture matched"),
}
# The role, and two pieces of 20 characters, each on its way before the next; then it cuts.
CUT = {"truncateAfterChunks": 4, "latency": 100}
# What a reply is, beside its fixture: what is told and spoken of it, and the code.
REPLIES = {
    "whole": ({"content": REPLY, "reasoning": "They ask for a capital."}, {}, REPLY, None),
    "limit": ({"content": REPLY, "finishReason": "length"}, {}, REPLY, "text_incomplete"),
    "tool": ({"toolCalls": [{"name": "look", "arguments": "{}"}]}, {}, "", "upstream_malformed"),
    "cut": ({"content": REPLY}, CUT, REPLY[:39], "upstream_unavailable"),
}
# aimock's Realtime sends words where sound was asked for; what it says of a failure is whole.
SESSIONS = {
    "words": ({"content": REPLY}, "upstream_malformed", ""),
    "busy": (error(503, "No.", type="server_error")["response"], "upstream_unavailable", "No."),
    "nobody": (None, "upstream_malformed", "No fixture matched"),
}


def answers() -> Iterator[dict[str, object]]:
    """The rows above, as aimock reads them: one model a row."""
    for stage in ENDPOINTS:
        yield answer(stage, "gone", **error(404, "The model `gone` does not exist."))
        yield from (answer(stage, name, **row[0]) for name, row in FAILURES.items() if row[0])
    for name, (reply, more, *_) in REPLIES.items():
        yield answer("text", name, response=reply, **more)
    for name, (response, *_) in SESSIONS.items():
        if response:
            yield answer("realtime", name, response=response)


@pytest.fixture(scope="module")
def aimock(tmp_path_factory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("aimock"), answers()) as url:
        yield url


@pytest.fixture(scope="module")
def service(aimock, tmp_path_factory) -> Iterator[str]:
    rows = dict.fromkeys(ENDPOINTS, "| gone | | | |\n")
    rows["tts"] += "".join(f"| {name} | | realtime | |\n" for name in SESSIONS)
    variables = {"PARLEY_OPENAI_BASE_URL": aimock, "PARLEY_DEADLINE": "6"}
    folder = tmp_path_factory.mktemp("service")
    with serving_models(folder, model_list(**rows), **variables) as served:
        yield served.url


@REPRESENTATIONS
@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_is_told_and_spoken(service, accept, name):
    """Thoughts are neither, and of a reply that is cut what was written is."""
    *_, reply, code = REPLIES[name]
    if name == "cut" and accept != STREAM:  # It cuts streams alone.
        reply, code = REPLY, None
    told = ask(service, accept, text_model=name)
    assert (told.status, told.code) == (206 if code else 200, code)
    assert (told.transcript, told.reply) == (TRANSCRIPT, reply)
    assert bool(told.sound) is bool(reply)
    assert told.models == {"stt": "good", "text": name, "tts": "good"}


@spread(FAILURES)
def test_its_failures_are_told(service, accept, stage, row):
    """With its reason."""
    _, code, status_at_stt, reason = FAILURES[row]
    told = ask(service, accept, **{f"{stage}_model": row})
    assert (told.code, told.stage) == (code, stage)
    assert told.status == (status_at_stt if stage == "stt" else 206)
    assert reason in told.message
    assert told.transcript == ("" if stage == "stt" else TRANSCRIPT)
    assert told.reply == (REPLY if stage == "tts" else "")
    assert told.sound == b""


@pytest.mark.parametrize("stage", ENDPOINTS)
def test_a_model_that_it_does_not_know_is_replaced(service, stage):
    """By the default one of the list."""
    told = ask(service, JSON, **{f"{stage}_model": "gone"})
    assert (told.status, told.models[stage]) == (200, "good")


@REPRESENTATIONS
def test_a_key_that_it_refuses_is_told(service, accept):
    """It has a list of keys, and this is not among them."""
    told = ask(service, accept, {"X-OpenAI-API-Key": "sk-aimock-of-nobody"})
    assert (told.status, told.code, told.stage) == (401, "api_key_rejected", "stt")


@REPRESENTATIONS
@pytest.mark.parametrize("name", SESSIONS)
def test_its_realtime_sessions_are_understood(service, accept, name):
    """The reply is there in any case."""
    _, code, reason = SESSIONS[name]
    told = ask(service, accept, tts_model=name)
    assert (told.status, told.code, told.stage) == (206, code, "tts")
    assert reason in told.message
    assert told.reply == REPLY
