"""A session of the Realtime API that goes wrong ends in its code, and in time."""

import socket
import time

import pytest
from testing import fake_realtime as realtime
from testing.fake_openai import Request, http
from testing.fake_realtime import PCM, plays
from testing.upstream_faults import LATE

TTS = {"tts_model": "gpt-realtime-2.1-mini"}


def failed(**error: object) -> realtime.Script:
    return lambda session: session.done("failed", error=error)


def refuses(code: str | None) -> realtime.Script:
    error = {"message": "No.", "type": "invalid_request_error", "code": code}
    return lambda session: session.send("error", error=error)


def again(
    count: int, step: realtime.Script, pause: float = 0.0, first: bytes = b""
) -> realtime.Script:
    """These bytes, then a step again and again, each after a pause of so many seconds."""

    def script(session: realtime.Session) -> None:
        session.connection.sendall(first)
        for _ in range(count):
            time.sleep(pause)
            step(session)

    return script


def tells(text: str) -> realtime.Script:
    return lambda session: session.send_text(text)


def sends(data: bytes) -> realtime.Script:
    """Bytes as they are, which need not be whole frames."""
    return lambda session: session.connection.sendall(data)


OF_NO_USE = '{"type": "rate_limits.updated", "x": "%s"}'
HALF, PING, EMPTY_PING = b"\x81\x7e\x40\x00", b"\x89\x01x", b"\x89\x00"
EMPTY_BEGINNING, EMPTY_PART = b"\x01\x00", b"\x00\x00"
SCRIPTS = [
    (again(3, lambda session: session.said("word " * 10_000)), "upstream_malformed", 1),
    (again(1001, tells(OF_NO_USE % "")), "upstream_malformed", 1),
    (again(11, tells(OF_NO_USE % ("x" * 100_000))), "upstream_malformed", 1),
    (again(60, lambda session: session.audio(bytes(2)), 0.05), "deadline_exceeded", 1),
    (again(60, sends(b" "), 0.05, HALF), "deadline_exceeded", 1),
    (again(60, sends(PING), 0.05), "deadline_exceeded", 1),
    (
        lambda session: (session.audio(), sends(HALF)(session)),
        "upstream_unavailable",
        3,
    ),
    (tells("{"), "upstream_malformed", 1),
    (tells("[" * 100_000), "upstream_malformed", 1),
    (tells(f"[{'{},' * 50_000}0]"), "upstream_malformed", 1),
    (tells("x" * 5_000_000), "upstream_malformed", 1),
    (sends(b"\xff" * 100), "upstream_malformed", 1),
    (again(1000, sends(EMPTY_PART * 10_000), 0.0, EMPTY_BEGINNING), "upstream_malformed", 1),
    (again(1000, sends(EMPTY_PING * 10_000)), "upstream_malformed", 1),
    (tells('{"type": "response.output_audio.delta", "delta": "?"}'), "upstream_malformed", 1),
    (lambda session: (session.audio(PCM[:-1]), session.done()), "upstream_malformed", 1),
    (again(4, lambda session: session.audio(bytes(100_000))), "upstream_malformed", 1),
    (failed(type="server_error", code="unheard_of"), "upstream_unavailable", 3),
    (failed(type="server_error", code="insufficient_quota"), "quota_exhausted", 1),
    (failed(type="x", code="rate_limit_exceeded"), "rate_limited", 3),
    (failed(type="x", code="insufficient_quota"), "quota_exhausted", 1),
    (failed(type="x", code="credit_balance_exhausted"), "quota_exhausted", 1),
    (failed(type="x"), "upstream_malformed", 1),
    (refuses("invalid_api_key"), "api_key_rejected", 1),
    (refuses("anything_else"), "upstream_malformed", 1),
    (refuses(None), "upstream_malformed", 1),
]


NO_QUOTA = b'{"type": "error", "error": {"code": "insufficient_quota"}}'
CLOSE = b"\x88\x02\x03\xf5"


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (CLOSE, "upstream_unavailable"),
        (b"\x81" + bytes([len(NO_QUOTA)]) + NO_QUOTA + CLOSE, "quota_exhausted"),
        (b"\xff\xff", "upstream_malformed"),
    ],
)
def test_an_upstream_that_ends_before_it_is_asked_is_heard_out(upstream, converse, frames, code):
    """What it said before it closed is the code, not that nothing could be sent any more."""

    def answer(connection: socket.socket, request: Request) -> None:
        protocol = realtime.Session(connection, request).protocol
        protocol.send_text(b'{"type": "session.created"}')
        connection.sendall(b"".join(protocol.data_to_send()) + frames)  # In one segment.
        time.sleep(0.2)

    upstream.answers["tts"] = answer
    converse(code, "tts", LATE, **TTS)


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(("script", "code", "tries"), SCRIPTS)
def test_a_session_that_goes_wrong_ends_in_its_code_and_in_time(
    upstream, converse, monkeypatch, script, code, tries
):
    """Whatever arrives over the WebSocket, or does not: the promised code, by the deadline."""
    for limit, most in (("PCM_BYTES", 300_000), ("EVENTS", 1000), ("EVENTS_BYTES", 1_000_000)):
        monkeypatch.setattr(f"parley.upstream.realtime.{limit}", most)
    upstream.answers["tts"] = plays(script)
    answer = converse(code, "tts", LATE, **TTS)
    assert answer["audio"] == ""
    assert [request.stage for request in upstream.requests].count("tts") == tries


def test_a_model_that_only_the_session_refuses_is_replaced(upstream, converse):
    """The Realtime API may open its WebSocket before it looks at the model's name."""

    def answer(connection, request):
        if "realtime" in request.path:
            plays(refuses("model_not_found"))(connection, request)
        else:
            connection.sendall(http(b"ID3 speech"))

    upstream.answers["tts"] = answer
    assert converse(None, "tts", LATE, **TTS)["models_used"]["tts"] == "tts-1"
