"""The third call over the Realtime API: its WebSocket, its messages, its words."""

import logging
import socket
import time
from contextlib import closing
from dataclasses import replace

import pytest
from testing import coded_speech
from testing import fake_realtime as realtime
from testing.fake_openai import REPLY, Request, http
from testing.fake_realtime import PCM, plays
from testing.transport_calls import addresses
from testing.tunnels import tunnels
from testing.upstream_faults import FAULTS, LATE, OVERRUN, SLOW
from websockets.utils import accept_key

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.errors import BaseUrlRefused
from parley.memory import Usage
from parley.models.registry import Model
from parley.redaction import Secrets
from parley.upstream.calls import Call
from parley.upstream.realtime import VoiceReader
from parley.wire.transport import Transport, Upstream

TTS = {"tts_model": "gpt-realtime-2.1-mini"}


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize("fault", [*SLOW, *FAULTS[1:]], ids=lambda fault: fault.name)
def test_a_handshake_that_goes_wrong_ends_as_any_call_does(upstream, converse, fault):
    """The WebSocket is asked for over the same connections, so it fails in the same ways."""
    upstream.answers["tts"] = fault.behave
    converse(fault.code, "tts", fault.seconds, **TTS)
    assert [request.stage for request in upstream.requests].count("tts") == fault.tries


@pytest.mark.parametrize(
    ("status", "connection", "key", "code"),
    [
        ("200 OK", "upgrade", "another", "upstream_malformed"),
        ("101 Yes", "upgrade", "another", "upstream_malformed"),
        ("101 Yes", "upgrade, close", None, "upstream_unavailable"),
    ],
)
def test_a_handshake_needs_its_proof_and_a_connection(
    upstream, converse, status, connection, key, code
):
    """Only an answer to this very key opens a WebSocket (RFC 6455, 4.1), not one that closes it."""

    def answer(opened, request):
        proof = accept_key(key or request.headers["sec-websocket-key"])
        headers = {"Upgrade": "websocket", "Connection": connection, "Sec_WebSocket_Accept": proof}
        opened.sendall(http(b"", status, **headers))

    upstream.answers["tts"] = answer
    converse(code, "tts", OVERRUN, **TTS)


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
def test_the_handshake_carries_the_key_and_the_model_through_the_proxy(
    upstream, monkeypatch, request
):
    """https://host/v1 becomes wss://host/v1/realtime, over connections of the proxy's alone."""
    upstream.answers["tts"] = realtime.Readings()
    with tunnels() as (address, asked):
        # The environment names the proxy before the service starts.
        monkeypatch.setenv("https_proxy", f"http://{address}")
        request.getfixturevalue("converse")(None, "tts", LATE, **TTS)
    assert len(asked) == upstream.connections > 0
    handshake = upstream.requests[-1]
    assert handshake.path == "/v1/realtime?model=gpt-realtime-2.1-mini"
    assert handshake.headers["authorization"].startswith("Bearer ")
    assert "cookie" not in handshake.headers


def test_no_websocket_leads_to_an_address_that_is_not_public():
    transport = Transport(1, addresses("169.254.169.254"))
    somewhere = replace(BaseUrl.parse("https://api.example.com/v1"), public_only=True)
    caller, deadline = Upstream(somewhere, "", Secrets()), Deadline.after(1)
    opening = transport.open_channel(caller, "/realtime", deadline)
    with pytest.raises(BaseUrlRefused), opening:
        pass


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


def in_fragments(session: realtime.Session) -> None:
    """A message in pieces, with a ping between them (RFC 6455, section 5.4)."""
    session.protocol.send_text(b'{"type": "session.upd', fin=False)
    session.protocol.send_ping(b"x")
    session.protocol.send_continuation(b'ated"}', fin=True)
    session.flush()
    session.audio()
    session.said(REPLY)
    session.done()


OF_NO_USE = '{"type": "rate_limits.updated", "x": "%s"}'
HALF, EMPTY_PART = b"\x81\x7e\x40\x00", b"\x00\x00"
PING, EMPTY_PING = b"\x89\x01x", b"\x89\x00"
SCRIPTS = [
    (again(3, lambda session: session.said("word " * 10_000)), "upstream_malformed", 1),
    (again(1001, tells(OF_NO_USE % "")), "upstream_malformed", 1),
    (again(11, tells(OF_NO_USE % ("x" * 100_000))), "upstream_malformed", 1),
    (again(60, lambda session: session.audio(bytes(2)), 0.05), "deadline_exceeded", 1),
    (again(60, sends(b" "), 0.05, HALF), "deadline_exceeded", 1),
    (again(60, sends(PING), 0.05), "deadline_exceeded", 1),
    (lambda session: (session.audio(), sends(HALF)(session)), "upstream_unavailable", 3),
    (tells("{"), "upstream_malformed", 1),
    (tells("[" * 100_000), "upstream_malformed", 1),
    (tells(f"[{'{},' * 50_000}0]"), "upstream_malformed", 1),
    (sends(b"\x81\x7f" + (2_000_001).to_bytes(8)), "upstream_malformed", 1),
    (sends(b"\xff" * 100), "upstream_malformed", 1),
    (again(1000, sends(EMPTY_PART * 10_000), first=b"\x01\x00"), "upstream_malformed", 1),
    (again(1000, sends(EMPTY_PING * 10_000)), "upstream_malformed", 1),
    (tells('{"type": "response.output_audio.delta", "delta": "?"}'), "upstream_malformed", 1),
    (lambda session: (session.audio(PCM[:-1]), session.done()), "upstream_malformed", 1),
    (again(4, lambda session: session.audio(bytes(100_000))), "upstream_malformed", 1),
    (failed(type="x", code="rate_limit_exceeded"), "rate_limited", 3),
    (failed(type="x", code="credit_balance_exhausted"), "quota_exhausted", 1),
    (failed(type="x"), "upstream_malformed", 1),
    (refuses("invalid_api_key"), "api_key_rejected", 1),
    (refuses(None), "upstream_malformed", 1),
    (in_fragments, None, 1),
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
def test_whatever_a_session_does_ends_in_its_code_and_in_time(
    upstream, converse, monkeypatch, script, code, tries
):
    """Whatever arrives over the WebSocket, or does not: the promised code, by the deadline."""
    for limit, most in (("PCM_BYTES", 300_000), ("EVENTS", 1000), ("EVENTS_BYTES", 1_000_000)):
        monkeypatch.setattr(f"parley.upstream.realtime.{limit}", most)
    upstream.answers["tts"] = plays(script)
    answer = converse(code, "tts", LATE, **TTS)
    assert bool(answer["audio"]) is (code is None)
    assert [request.stage for request in upstream.requests].count("tts") == tries


@pytest.mark.parametrize(
    ("said", "reworded"), [(REPLY, False), ("It's paris", False), ("No.", True)]
)
def test_a_rewording_is_logged_without_its_words(upstream, converse, logged, said, reworded):
    """The operator learns that a voice strayed from its text, but not what either said."""
    logged.set_level(logging.DEBUG)

    def script(session):
        session.audio()
        session.said(said)
        session.done()

    upstream.answers["tts"] = plays(script)
    converse(None, "tts", LATE, **TTS)
    line = "event=speech_reworded stage=tts model=gpt-realtime-2.1-mini"
    assert (line in logged.text) is reworded
    assert said not in logged.text
    assert REPLY not in logged.text


def test_a_reading_that_is_given_up_takes_its_websocket_along(upstream):
    """Nobody knows what would still arrive for its text."""
    upstream.answers["tts"] = realtime.Readings()
    host = Upstream(BaseUrl.parse(upstream.url), "key", Secrets("key"))
    models = {"tts": Model("m", "realtime")}
    call = Call(Transport(1), host, "tts", models, Deadline.after(60), Usage(), [])
    with closing(VoiceReader()) as reader:
        given_up = reader.read_aloud("It is Paris.", "alloy", call)
        next(given_up)
        given_up.close()
        pcm = b"".join(reader.read_aloud("It is Rome.", "alloy", call))
    assert pcm == coded_speech.encode("It is Rome.", "pcm")
    assert len(upstream.requests) == 2
