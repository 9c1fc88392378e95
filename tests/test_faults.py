"""Whatever an upstream does, at whichever stage: the promised code, in time, and no key."""

import dataclasses
import gzip
import io
import json
import logging
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import trustme
import upstream as fake
from support import KEY, make_app, wav
from upstream import Request, Upstream, good, http

from parley.upstream.retries import TRIES

DEADLINE = 0.8
PATIENCE = 5
OVERRUN = 2
STAGES = ("stt", "text", "tts")
STATUS_AT_STT = {
    "api_key_rejected": 401,
    "upstream_rejected": 400,
}
Behaviour = Callable[[socket.socket, Request], bool | None]


@dataclass
class Fault:
    """What the upstream does, what the caller is told, and how many tries that takes."""

    name: str
    behave: Behaviour
    code: str
    tries: int = 1
    seconds: float = DEADLINE + OVERRUN


def drip(connection: socket.socket, *parts: bytes) -> None:
    """The first part at once, then the second again and again, slowly."""
    connection.sendall(parts[0])
    with suppress(OSError):
        for _ in range(100):
            time.sleep(0.05)
            connection.sendall(parts[1])


def says(answer: bytes, *, then_close: bool = False) -> Behaviour:
    """Send exactly these bytes."""

    def behave(connection: socket.socket, request: Request) -> bool:
        connection.sendall(answer)
        return not then_close

    return behave


def drips(first: bytes, again: bytes) -> Behaviour:
    return lambda connection, request: drip(connection, first, again)


def stalls(answer: bytes = b"") -> Behaviour:
    """Send these bytes, then nothing."""

    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(answer)
        time.sleep(3)

    return behave


def reset(connection: socket.socket) -> None:
    """Close with a RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # What TLS wraps is closed as it is, without TLS's own goodbye.
    socket.socket.close(connection)


def resets(answer: bytes) -> Behaviour:
    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(answer)
        time.sleep(0.05)
        reset(connection)

    return behave


def refusal(status: str, code: str = "", **headers: str) -> bytes:
    """OpenAI's error, which repeats the key as OpenAI does, and worse."""
    message = f"Incorrect API key provided: {KEY[:8]}****{KEY[-4:]} ({KEY})"
    error = {"message": message, "type": "error", "param": None, "code": code}
    return http(json.dumps({"error": error}).encode(), status, **headers)


def bomb() -> bytes:
    """About 300 KB that unpack to 300 MB."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(300):
            file.write(bytes(1_000_000))
    return http(packed.getvalue(), Content_Encoding="gzip")


def flood(connection: socket.socket, request: Request) -> None:
    """A body without end, as fast as it is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    with suppress(OSError):
        for _ in range(10_000):
            connection.sendall(bytes(65_536))


def endless_redirect(connection: socket.socket, request: Request) -> None:
    """A redirect whose body nobody should read."""
    connection.sendall(b"HTTP/1.1 302 x\r\nLocation: /x\r\nContent-Length: 10000000000\r\n\r\n")
    with suppress(OSError):
        for _ in range(10_000):
            connection.sendall(bytes(65_536))


def drip_record(connection: socket.socket, request: Request) -> None:
    """A TLS record that trickles, past what encrypts."""
    raw = connection.fileno()
    os.write(raw, b"\x17\x03\x03\x10\x00")
    with suppress(OSError):
        for _ in range(100):
            time.sleep(0.05)
            os.write(raw, b"\x02")


ABSURD = "Mon, 01 Jan 99999999999 00:00:00 GMT"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LATE = DEADLINE + OVERRUN

# In time: whatever trickles or stands still ends at the deadline.
SLOW = [
    Fault("no answer", stalls(), "deadline_exceeded", 1, LATE),
    Fault("half a status line", stalls(b"HTTP/1.1 2"), "deadline_exceeded", 1, LATE),
    Fault(
        "headers that drip", drips(b"HTTP/1.1 200 OK\r\nX: ", b"y"), "deadline_exceeded", 1, LATE
    ),
    Fault(
        "headers that stop", stalls(b"HTTP/1.1 200 OK\r\nX: y\r\n"), "deadline_exceeded", 1, LATE
    ),
    Fault(
        "100 Continue without end",
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "deadline_exceeded",
        1,
        LATE,
    ),
    Fault("a body that drips", drips(HEAD, b" "), "deadline_exceeded", 1, LATE),
    Fault("a body that stops half-way", stalls(HEAD + b"{"), "deadline_exceeded", 1, LATE),
    Fault("chunks that drip", drips(CHUNKED, b"1\r\n \r\n"), "deadline_exceeded", 1, LATE),
    Fault("chunks that stop", stalls(CHUNKED + b"5\r\n{"), "deadline_exceeded", 1, LATE),
    Fault("a record that drips", drip_record, "deadline_exceeded", 1, LATE),
]
# Broken: cut off, or no HTTP. Worth another try.
BROKEN = [
    Fault("closed without an answer", says(b"", then_close=True), "upstream_unavailable", 3),
    Fault("reset without an answer", resets(b""), "upstream_unavailable", 3),
    Fault(
        "cut off amid the headers",
        says(b"HTTP/1.1 200 OK\r\nContent-Ty", then_close=True),
        "upstream_unavailable",
        3,
    ),
    Fault("cut off amid the body", says(HEAD + b"{", then_close=True), "upstream_unavailable", 3),
    Fault("reset amid the body", resets(HEAD + b"{"), "upstream_unavailable", 3),
    Fault(
        "cut off amid the chunks",
        says(CHUNKED + b"ff\r\n{", then_close=True),
        "upstream_unavailable",
        3,
    ),
    Fault("a chunk of no size", says(CHUNKED + b"zz\r\n{}\r\n"), "upstream_unavailable", 3),
    Fault("not HTTP", says(b"SSH-2.0-OpenSSH_9.2\r\n", then_close=True), "upstream_unavailable", 3),
    Fault(
        "headers without end",
        says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200),
        "upstream_unavailable",
        3,
    ),
    Fault(
        "a header line without end",
        says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000),
        "upstream_unavailable",
        3,
    ),
]
BROKEN += [
    Fault(
        "interim answers without end",
        says(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
        "upstream_unavailable",
        3,
    ),
    Fault("a chunk size without end", says(CHUNKED + b"1" * 100_000), "upstream_unavailable", 3),
    Fault(
        "a trailer without end",
        says(CHUNKED + b"0\r\nX: " + b"y" * 100_000),
        "upstream_unavailable",
        3,
    ),
]
# Answered, but not usably: not worth another try.
UNUSABLE = [
    Fault("an empty success", says(http(b"")), "upstream_malformed"),
    Fault("a body without end", flood, "upstream_malformed"),
    Fault("a gzip bomb", says(bomb()), "upstream_malformed", 1, 1),
    Fault("gzip that is none", says(http(b"{}", Content_Encoding="gzip")), "upstream_malformed"),
]
REFUSED = [
    Fault("401", says(refusal("401 Unauthorized")), "api_key_rejected"),
    Fault("403", says(refusal("403 Forbidden")), "api_key_rejected"),
    Fault("400", says(refusal("400 Bad Request")), "upstream_rejected"),
    # The second try is what replaces the model.
    Fault("404", says(refusal("404 Not Found", "model_not_found")), "upstream_rejected", 2),
    Fault("307", says(http(b"", "307 Moved", Location="/v1/elsewhere")), "upstream_rejected"),
    Fault("302 without end", endless_redirect, "upstream_malformed"),
    Fault("302 to nowhere", says(http(b"", "302 x", Location="http://[::1")), "upstream_rejected"),
    Fault("429, absurd date", says(refusal("429 x", Retry_After=ABSURD)), "rate_limited", 3),
    Fault("408", says(refusal("408 Timeout")), "upstream_timeout", 3),
    Fault("409", says(refusal("409 Conflict")), "upstream_rejected", 3),
    Fault("429", says(refusal("429 Slow Down")), "rate_limited", 3),
    Fault("429, wait too long", says(refusal("429 x", Retry_After="9")), "rate_limited"),
    Fault("429, no quota", says(refusal("429 x", "insufficient_quota")), "quota_exhausted"),
    Fault("429, no credit", says(refusal("429 x", "credit_balance_exhausted")), "quota_exhausted"),
    Fault("500", says(refusal("500 Oops")), "upstream_unavailable", 3),
    Fault(
        "503, do not retry", says(refusal("503 x", x_should_retry="false")), "upstream_unavailable"
    ),
    Fault("400, do retry", says(refusal("400 x", x_should_retry="true")), "upstream_rejected", 3),
    Fault("504", says(refusal("504 Gateway Timeout")), "upstream_timeout", 3),
]
FAULTS = [SLOW[0], *BROKEN, *UNUSABLE, *REFUSED]

# All stages call the same transport, so that TLS, and each way to be slow, is tried at one of them;
# what an answer says is the same in TLS. Where sockets wait, gevent's need the same proof.
CASES = [
    *(pytest.param("http", stage, fault) for fault in FAULTS for stage in STAGES),
    *(pytest.param("http", "stt", fault) for fault in SLOW[1:]),
    *(pytest.param("https", "stt", fault, marks=pytest.mark.both_models) for fault in SLOW),
    *(pytest.param("https", "stt", fault) for fault in [*BROKEN, *UNUSABLE]),
]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def upstream(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[Upstream]:
    tls = None
    if request.param == "https":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
    with fake.running(tls) as running:
        yield running


@pytest.fixture
def converse(upstream, authority, at_once, tmp_path, caplog):
    """Hold one conversation with the upstream; check what is always so, and return the answer."""
    caplog.set_level(logging.DEBUG)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    app = make_app(ca_bundle=str(bundle), PARLEY_OPENAI_BASE_URL=upstream.url)
    parley = app.extensions["parley"]

    def hold(code: str | None, stage: str, seconds: float, **fields: str) -> dict:
        # Only what is to meet its deadline has a short one: the machine may be busy.
        deadline = DEADLINE if code == "deadline_exceeded" else PATIENCE
        settings = dataclasses.replace(parley.settings, deadline=deadline)
        app.extensions["parley"] = dataclasses.replace(parley, settings=settings)
        began = time.monotonic()
        form = {"audio": (io.BytesIO(wav(1.0)), "a.wav"), **fields}
        response = app.test_client().post(
            "/api/conversation/", data=form, headers={"X-OpenAI-API-Key": KEY}
        )
        assert time.monotonic() - began < seconds
        told = [(error["code"], error["stage"]) for error in response.json["errors"]]
        assert told == ([(code, stage)] if code else [])
        status = STATUS_AT_STT.get(code, 500) if stage == "stt" else 206
        assert response.status_code == (status if code else 200)
        for text in (response.text, str(response.headers), caplog.text):
            assert not any(KEY[i : i + 4] in text for i in range(3, len(KEY) - 4))
        return response.json

    return hold


@pytest.mark.parametrize(
    ("upstream", "stage", "fault"),
    CASES,
    indirect=["upstream"],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_fault_ends_in_its_code_and_in_time(upstream, converse, stage, fault):
    """Each fault, plain and in TLS."""
    upstream.answers[stage] = fault.behave
    answer = converse(fault.code, stage, fault.seconds)
    assert bool(answer["transcript"]) is (stage != "stt")
    assert bool(answer["text_response"]) is (stage == "tts")
    assert answer["audio"] == ""
    assert [request.stage for request in upstream.requests].count(stage) == fault.tries


# What happens to a connection before anything is asked over it.
def closes(connection: socket.socket) -> bool:
    return False


def is_reset(connection: socket.socket) -> bool:
    reset(connection)
    return False


def is_silent(connection: socket.socket) -> bool:
    time.sleep(2)
    return False


def speaks_no_tls(connection: socket.socket) -> bool:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    return False


def drips_its_handshake(connection: socket.socket) -> bool:
    drip(connection, b"\x16\x03\x03\x10\x00", b"\x02")
    return False


# Python leaves a socket that is reset before its handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.both_models
@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("greet", "code"),
    [
        (closes, "upstream_unavailable"),
        (is_reset, "upstream_unavailable"),
        (speaks_no_tls, "upstream_unavailable"),
        (is_silent, "upstream_timeout"),
        (drips_its_handshake, "upstream_timeout"),
    ],
)
def test_a_connection_that_is_never_made_ends_in_time(
    upstream, converse, monkeypatch, stage, greet, code
):
    """TLS that stalls, breaks or is none: connecting has a limit of its own, and more tries."""
    monkeypatch.setattr("parley.wire.connections.CONNECT_SECONDS", 0.2)
    first = STAGES.index(stage) + 1
    for earlier in STAGES[: first - 1]:
        # So that the stage in question has to connect.
        upstream.answers[earlier] = lambda connection, request: connection.sendall(good(request))
    upstream.greet = lambda connection: upstream.connections < first or greet(connection)
    converse(code, stage, LATE)
    assert upstream.connections == first - 1 + TRIES


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
def test_a_strangers_certificate_is_refused(upstream, converse):
    """Nothing is sent to a host that cannot prove its name."""
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(stranger)
    upstream.tls = stranger
    converse("upstream_unavailable", "stt", OVERRUN)
    assert upstream.requests == []


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
def test_a_certificate_for_another_name_is_refused(upstream, converse, authority):
    """A trusted authority's word for another host is no word for this one."""
    upstream.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(upstream.tls)
    converse("upstream_unavailable", "stt", OVERRUN)
    assert upstream.requests == []


@pytest.mark.parametrize("stage", STAGES)
def test_what_fails_once_works_at_the_second_try(upstream, converse, stage):
    """A passing failure costs the caller nothing but time; the upload is sent anew, whole."""

    def fail_once(connection: socket.socket, request: Request) -> bool:
        del upstream.answers[stage]
        connection.sendall(http(b"{}", "503 Busy", retry_after_ms="20"))
        return True

    upstream.answers[stage] = fail_once
    converse(None, stage, LATE)
    first, second = [request for request in upstream.requests if request.stage == stage]
    if stage == "stt":
        assert wav(1.0) in first.body
        assert wav(1.0) in second.body
    else:
        assert first.body == second.body


@pytest.mark.both_models
def test_a_conversation_needs_one_connection(upstream, converse):
    """Connecting, and TLS, cost more than the call."""
    converse(None, "stt", LATE)
    assert len(upstream.requests) == 3
    assert upstream.connections == 1


def test_a_connection_that_died_idle_is_replaced(upstream, converse):
    """An upstream may close what it kept alive; the next conversation does not notice."""
    converse(None, "stt", LATE)
    upstream.drop_connections()
    converse(None, "stt", LATE)


def test_an_upload_refused_half_way_is_still_understood(upstream, converse):
    """The upstream's 413 counts, not the broken pipe of what was still being sent."""
    upstream.answers["stt"] = says(refusal("413 Too Large"), then_close=True)
    converse("upstream_rejected", "stt", OVERRUN)


@pytest.mark.parametrize("upstream", ["http"], indirect=True)
def test_json_of_too_many_parts_is_not_read(upstream, converse):
    """Python takes a second over a million empty lists, in which no other caller is served."""
    body = {"choices": [{"message": {"content": "It is Paris."}}], "more": [[]] * 60_000}
    upstream.answers["text"] = says(http(json.dumps(body).encode()))
    converse("upstream_malformed", "text", OVERRUN)
