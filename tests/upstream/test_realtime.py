"""The third call over the Realtime API: its faults, its reading, its words."""

import io
import json
import logging
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import av
import pytest
from testing import coded_speech
from testing import fake_realtime as realtime
from testing.builders import make_app
from testing.fake_openai import REPLY, Request, http
from testing.fake_openai import running as fake_running
from testing.fake_realtime import PCM, plays
from testing.upstream_faults import (
    FAULTS,
    LATE,
    OVERRUN,
    SLOW,
    closes,
    drips_its_handshake,
    is_silent,
)
from websockets.utils import accept_key

from parley.base_urls import BaseUrl, Destination
from parley.deadline import Deadline
from parley.errors import BaseUrlRefused, DeadlineExceeded
from parley.upstream.mp3_encoder import PIECE_BYTES, Mp3Encoder
from parley.upstream.realtime import ReadingSession, is_read_word_for_word
from parley.wire.messages import Upstream
from parley.wire.resolver import Resolver
from parley.wire.transport import Transport

TTS = {"tts_model": "gpt-realtime-2.1-mini"}


def failed(**error: object) -> realtime.Script:
    return lambda session: session.done("failed", error=error)


def refuses(code: str | None, kind: str = "invalid_request_error") -> realtime.Script:
    error = {"message": "No.", "type": kind, "code": code}
    return lambda session: session.send("error", error=error)


def stalls(session: realtime.Session) -> None:
    session.audio()
    time.sleep(3)


def drips(session: realtime.Session) -> None:
    for _ in range(60):
        time.sleep(0.05)
        session.audio(bytes(2))


def dribbles(session: realtime.Session) -> None:
    """Half a frame, a byte at a time."""
    session.connection.sendall(b"\x81\x7e\x40\x00")
    for _ in range(60):
        time.sleep(0.05)
        session.connection.sendall(b" ")


def pings(session: realtime.Session) -> None:
    for _ in range(60):
        time.sleep(0.05)
        session.protocol.send_ping(b"x")
        session.flush()


def speaks_at_its_pace(session: realtime.Session) -> None:
    """Deltas as long as they sound, as real speech comes: it would take five seconds."""
    for tenth in range(50):
        start = tenth * 4800 % len(PCM)
        session.audio(PCM[start : start + 4800])
        time.sleep(0.1)
    session.said(REPLY)
    session.done()


def breaks_off(session: realtime.Session) -> None:
    session.audio()
    session.connection.sendall(b"\x81\x7e\x40")


def says_goodbye(session: realtime.Session) -> None:
    session.audio()
    session.protocol.send_close(1001)
    session.flush()


def floods(session: realtime.Session) -> None:
    for _ in range(1000):
        session.audio(bytes(2_000_000))


def rambles(session: realtime.Session) -> None:
    for _ in range(1000):
        session.said("word " * 10_000)


SCRIPTS = [
    (rambles, "upstream_malformed", 1),
    pytest.param(stalls, "deadline_exceeded", 1, marks=pytest.mark.both_models),
    pytest.param(drips, "deadline_exceeded", 1, marks=pytest.mark.both_models),
    pytest.param(dribbles, "deadline_exceeded", 1, marks=pytest.mark.both_models),
    pytest.param(pings, "deadline_exceeded", 1, marks=pytest.mark.both_models),
    (breaks_off, "upstream_unavailable", 3),
    (says_goodbye, "upstream_unavailable", 3),
    (lambda session: session.done(), "upstream_malformed", 1),
    (lambda session: session.done("incomplete", reason="content_filter"), "upstream_malformed", 1),
    (lambda session: session.send_text("{"), "upstream_malformed", 1),
    (lambda session: session.send_text("[" * 100_000), "upstream_malformed", 1),
    (lambda session: session.send_text(f"[{'{},' * 50_000}0]"), "upstream_malformed", 1),
    (lambda session: session.send_text("x" * 5_000_000), "upstream_malformed", 1),
    (lambda session: session.connection.sendall(b"\xff" * 100), "upstream_malformed", 1),
    (
        lambda session: session.send_text('{"type": "response.output_audio.delta", "delta": "?"}'),
        "upstream_malformed",
        1,
    ),
    (lambda session: (session.audio(PCM[:-1]), session.done()), "upstream_malformed", 1),
    (floods, "upstream_malformed", 1),
    (failed(type="server_error", code="server_error"), "upstream_unavailable", 3),
    (failed(type="server_error", code=None), "upstream_unavailable", 3),
    (failed(type="server_error", code="unheard_of"), "upstream_unavailable", 3),
    (failed(type="server_error", code="insufficient_quota"), "quota_exhausted", 1),
    (failed(type="x", code="rate_limit_exceeded"), "rate_limited", 3),
    (failed(type="x", code="insufficient_quota"), "quota_exhausted", 1),
    (failed(type="x", code="credit_balance_exhausted"), "quota_exhausted", 1),
    (failed(type="x"), "upstream_malformed", 1),
    (refuses("invalid_api_key"), "api_key_rejected", 1),
    (refuses("anything_else"), "upstream_malformed", 1),
    (refuses(None), "upstream_malformed", 1),
    (refuses(None, "server_error"), "upstream_unavailable", 3),
    (speaks_at_its_pace, "deadline_exceeded", 1),
]


def says_at_once(*frames: bytes) -> Callable[[socket.socket, Request], None]:
    """An upstream that says hello and these frames in one segment, before it is asked anything."""

    def answer(connection: socket.socket, request: Request) -> None:
        session = realtime.Session(connection, request)
        protocol = session.protocol
        protocol.send_text(b'{"type": "session.created"}')
        hello = b"".join(protocol.data_to_send())
        connection.sendall(hello + b"".join(frames))
        time.sleep(0.2)

    return answer


NO_QUOTA = b'{"type": "error", "error": {"code": "insufficient_quota"}}'
CLOSE = b"\x88\x02\x03\xf5"


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([CLOSE], "upstream_unavailable"),
        ([b"\x81" + bytes([len(NO_QUOTA)]) + NO_QUOTA, CLOSE], "quota_exhausted"),
        ([b"\xff\xff"], "upstream_malformed"),
    ],
)
def test_an_upstream_that_ends_before_it_is_asked_is_heard_out(
    upstream,
    converse,
    frames,
    code,
):
    """What it said before it closed is the code, not that nothing could be sent any more."""
    upstream.answers["tts"] = says_at_once(*frames)
    converse(code, "tts", LATE, **TTS)


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(("script", "code", "tries"), SCRIPTS)
def test_a_session_that_goes_wrong_ends_in_its_code_and_in_time(
    upstream,
    converse,
    monkeypatch,
    script,
    code,
    tries,
):
    """Whatever arrives over the WebSocket, or does not: the promised code, by the deadline."""
    monkeypatch.setattr("parley.upstream.realtime.PCM_BYTES", 300_000)
    upstream.answers["tts"] = plays(script)
    answer = converse(code, "tts", LATE, **TTS)
    assert answer["audio"] == ""
    assert [request.stage for request in upstream.requests].count("tts") == tries


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(
    "fault",
    [*(pytest.param(fault, marks=pytest.mark.both_models) for fault in SLOW), *FAULTS[1:]],
    ids=lambda fault: fault.name,
)
def test_a_handshake_that_goes_wrong_ends_as_any_call_does(
    upstream,
    converse,
    fault,
):
    """The WebSocket is asked for over the same connections, so it fails in the same ways."""
    upstream.answers["tts"] = fault.behave
    converse(fault.code, "tts", fault.seconds, **TTS)
    assert [request.stage for request in upstream.requests].count("tts") == fault.tries


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(
    ("greet", "code"),
    [
        (closes, "upstream_unavailable"),
        (is_silent, "upstream_timeout"),
        (drips_its_handshake, "upstream_timeout"),
    ],
)
def test_a_connection_that_is_never_made_ends_in_time(
    upstream,
    converse,
    monkeypatch,
    greet,
    code,
):
    """Connecting and TLS have five seconds here too."""
    monkeypatch.setattr("parley.wire.connections.CONNECT_SECONDS", 0.2)

    def once(connection, request):
        connection.sendall(fake_reply(request))
        upstream.greet = greet
        return False

    def fake_reply(request):
        body = {"choices": [{"message": {"role": "assistant", "content": REPLY}}]}
        return http(json.dumps(body).encode(), Connection="close")

    upstream.answers["text"] = once
    converse(code, "tts", LATE, **TTS)


@pytest.mark.parametrize("status", ["200 OK", "101 Switching Protocols"])
def test_a_handshake_without_its_proof_is_malformed(
    upstream,
    converse,
    status,
):
    """Only an answer to this very key opens a WebSocket (RFC 6455, section 4.1)."""
    answer = http(b"", status, Upgrade="websocket", Sec_WebSocket_Accept="c3R1ZmY=")
    upstream.answers["tts"] = lambda connection, request: connection.sendall(answer)
    converse("upstream_malformed", "tts", OVERRUN, **TTS)


def test_a_websocket_that_is_opened_and_closed_at_once_is_unavailable(
    upstream,
    converse,
):
    """An answer that upgrades and closes in one is a connection cut off."""

    def answer(connection, request):
        proof = accept_key(request.headers["sec-websocket-key"])
        connection.sendall(
            b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n"
            b"Sec-WebSocket-Accept: " + proof.encode() + b"\r\n\r\n"
        )

    upstream.answers["tts"] = answer
    converse("upstream_unavailable", "tts", OVERRUN, **TTS)


def test_a_model_that_only_the_session_refuses_is_replaced(
    upstream,
    converse,
):
    """The Realtime API may open its WebSocket before it looks at the model's name."""

    def answer(connection, request):
        if "realtime" in request.path:
            plays(refuses("model_not_found"))(connection, request)
        else:
            connection.sendall(http(b"ID3 speech"))

    upstream.answers["tts"] = answer
    assert converse(None, "tts", LATE, **TTS)["models_used"]["tts"] == "tts-1"


def test_the_handshake_carries_the_key_and_the_model(
    upstream,
    converse,
):
    """https://host/v1 becomes wss://host/v1/realtime, under the caller's key."""
    upstream.answers["tts"] = realtime.speaks
    converse(None, "tts", LATE, **TTS)
    request = upstream.requests[-1]
    assert request.path == "/v1/realtime?model=gpt-realtime-2.1-mini"
    assert request.headers["authorization"].startswith("Bearer ")
    assert "cookie" not in request.headers


def test_messages_in_pieces_are_put_together(
    upstream,
    converse,
):
    """A message may come in fragments, with pings between them (RFC 6455, section 5.4)."""

    def in_pieces(session):
        session.protocol.send_text(b'{"type": "session.upd', fin=False)
        session.protocol.send_ping(b"x")
        session.protocol.send_continuation(b'ated"}', fin=True)
        session.flush()
        session.audio()
        session.said(REPLY)
        session.done()

    upstream.answers["tts"] = plays(in_pieces)
    converse(None, "tts", LATE, **TTS)


@pytest.mark.parametrize(
    ("said", "reworded"), [(REPLY, False), ("It's paris", False), ("No.", True)]
)
def test_a_rewording_is_logged_without_its_words(
    upstream,
    converse,
    logged,
    said,
    reworded,
):
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


LONG = "Paris lies on the Seine. " * 30
QUESTION = "Shall I tell you more about its bridges?"
OTHER = "I am an assistant and cannot read that aloud."


@pytest.mark.parametrize(
    ("text", "transcript", "same"),
    [
        ("It is Paris.", "it\u2019s PARIS", True),
        ("It's not far; they aren't late.", "It isn't far. They're not late!", True),
        ("Let's go home, he's been there.", "Let us go home he has been there", True),
        (f"It isn't. {LONG}", f"It is not. {LONG}", True),
        (f"{LONG} {QUESTION}", f"{LONG} {OTHER}", False),
        (f"{QUESTION} {LONG}", f"{OTHER} {LONG}", False),
        (f"{LONG} {LONG}", LONG, False),
        ("Twenty-one.", "Twenty one", True),
        ("東京です。", "東京です", True),
        ("It is Paris.", "It is Rome.", False),
        ("It is Paris.", "It is not Paris.", False),
        ("It is Paris. Goodbye.", "It is Paris.", False),
        ("It is Paris.", "", False),
    ],
)
def test_only_case_punctuation_and_a_few_letters_may_differ(text, transcript, same):
    """Other words are told from the same words in another spelling."""
    assert is_read_word_for_word(text, transcript) is same


def tunnel(listener: socket.socket, asked: list[bytes]) -> None:
    """A proxy for CONNECT, for as many connections as come."""
    with suppress(OSError):
        while True:
            caller, _ = listener.accept()
            line = caller.recv(65_536).split()[1]
            asked.append(line)
            host, port = line.decode().split(":")
            called = socket.create_connection((host, int(port)))
            caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for pair in ((caller, called), (called, caller)):
                threading.Thread(target=pump, args=pair, daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with source, suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def asked_of_proxy(monkeypatch):
    """What a proxy was asked to connect to; the environment names it before the service starts."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        threading.Thread(target=tunnel, args=(proxy, asked), daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        yield asked
        proxy.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
def test_the_websocket_goes_through_the_proxy_too(asked_of_proxy, upstream, converse):
    """Where the platform names a proxy, every connection is its own."""
    upstream.answers["tts"] = realtime.speaks
    converse(None, "tts", LATE, **TTS)
    assert len(asked_of_proxy) == upstream.connections > 0
    assert upstream.requests[-1].path.startswith("/v1/realtime")


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254"])
def test_no_websocket_leads_to_an_address_that_is_not_public(address):
    """What a caller's host resolves to is checked as for any other call."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    transport = Transport(1, Resolver(lambda *_, **__: found))
    somewhere = Destination(BaseUrl.parse("https://api.example.com/v1"), public_only=True)
    opening = transport.connect(
        Upstream(somewhere, "key"), "/realtime?model=m", limit=1000, deadline=Deadline.after(1)
    )
    with pytest.raises(BaseUrlRefused), opening:
        pass


def test_encoding_keeps_the_deadline():
    """A speech that is too long to encode in time is given up."""
    with pytest.raises(DeadlineExceeded):
        Mp3Encoder(Deadline.after(0.05)).feed(bytes(48_000_000))


def test_encoding_lets_others_run(monkeypatch):
    """Before each piece, since twenty conversations may be encoded at once."""
    turns = []
    monkeypatch.setattr("parley.upstream.mp3_encoder.let_others_run", lambda: turns.append(1))
    Mp3Encoder(Deadline.after(60)).feed(bytes(10 * PIECE_BYTES))
    assert len(turns) == 10


def test_long_speech_is_encoded_as_it_arrives():
    """Twenty long answers at once must not fill a small container with their PCM."""

    def script(session):
        for _ in range(100):
            session.audio(PCM)
        session.done()

    deadline = Deadline.after(60)
    with fake_running() as server:
        server.answers["tts"] = plays(script)
        opening = Transport(1).connect(
            Upstream(Destination(BaseUrl.parse(server.url)), "key"),
            "/realtime?model=m",
            limit=1_000_000,
            deadline=deadline,
        )
        tracemalloc.start()
        try:
            with opening as channel:
                encoder = Mp3Encoder(deadline)
                speech = ReadingSession(channel).read_aloud(REPLY, "alloy", {})
                mp3 = b"".join(map(encoder.feed, speech)) + encoder.finish()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    with av.open(io.BytesIO(mp3)) as container:
        assert round(container.duration / av.time_base) == 100
    assert peak < len(PCM) * 100 * 0.8


def test_one_websocket_reads_one_text_after_another():
    """Each reading has its own text's speech and transcript, and nothing of the one before."""
    with fake_running() as server:
        server.answers["tts"] = realtime.Readings()
        opening = Transport(1).connect(
            Upstream(Destination(BaseUrl.parse(server.url)), "key"),
            "/realtime?model=m",
            limit=1_000_000,
            deadline=Deadline.after(20),
        )
        with opening as channel:
            session = ReadingSession(channel)
            for text in ("It is Paris.", "It lies on the Seine."):
                pcm = b"".join(session.read_aloud(text, "alloy", {}))
                assert pcm == coded_speech.encode(text, "pcm")
                assert session.transcript.strip() == text
        assert len(server.requests) == 1


def test_pcm_may_be_cut_anywhere():
    """A sample in two pieces is still one."""

    def encoded(size):
        encoder = Mp3Encoder(Deadline.after(10))
        pieces = [encoder.feed(PCM[at : at + size]) for at in range(0, len(PCM), size)]
        return b"".join([*pieces, encoder.finish()])

    with av.open(io.BytesIO(encoded(10_001))) as container:
        assert round(container.duration / av.time_base) == 1
    assert encoded(9_999) == encoded(10_000)


def test_the_named_model_is_listed():
    """What these tests name is what the list holds."""
    models = make_app().extensions["parley"].registry.stages["tts"].models
    assert models[TTS["tts_model"]].interface == "realtime"
