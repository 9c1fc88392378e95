"""Callers may read slowly, send on and wait; those who stall hold nothing and are dropped."""

import select
import socket
import time
from contextlib import ExitStack
from unittest.mock import Mock

import gevent
import pytest
from testing import fake_openai as fake
from testing.builders import KEY
from testing.raw_callers import HEALTH, PATIENCE, connect, one_answer, until_closed
from testing.served_conversations import converse
from testing.served_streams import request, served
from testing.upstream_faults import says

from parley.web.serving.connection_limits import CallerConnections

SILENCE, REQUEST, IDLE = 1, 2, 8
LIMITS = f"""
connection_limits.SILENCE_SECONDS = {SILENCE}
connection_limits.REQUEST_SECONDS = {REQUEST}
keepalive = {IDLE}
"""
HEADERS = (
    b"POST /api/conversation/ HTTP/1.1\r\nHost: x\r\nX-OpenAI-API-Key: " + KEY.encode() + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
WHOLE = request("application/json")


@pytest.fixture
def upstream(served_upstream):
    """The upstream, which answers as it should until the test says otherwise."""
    served_upstream.answers = {}
    served_upstream.requests.clear()
    return served_upstream


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with served(folder, served_upstream.url, LIMITS, deadline=28) as running:
        yield running


def test_a_slow_reader_gets_everything(service, upstream):
    """However long it takes: a caller who goes on reading is not cut off."""
    upstream.answers["tts"] = says(fake.http(b"ID3".ljust(16_000_000, b"\0")))
    answer, begun = b"", time.monotonic()
    with connect(service) as caller:
        caller.sendall(WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        while time.monotonic() - begun < 2 * SILENCE:
            time.sleep(SILENCE / 8)
            answer += caller.recv(64_000)
        answer += until_closed(caller)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert len(body) > 21_000_000


def test_a_whole_answer_is_never_reset():
    """Also over HTTP/1.0, and where the rest of its request is still being drained."""
    connections = CallerConnections(10, IDLE)
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        theirs = opened.enter_context(socket.socket())
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # The rest is not sent yet.
        theirs.connect(server.getsockname())
        caller = opened.enter_context(connections.opened(server.accept()[0].detach()))
        caller.start_request(Mock(version=(1, 0)))
        caller.start_answer()
        caller.sendall(bytes(60_000))
        closing = gevent.spawn(caller.close)
        time.sleep(0.2)
        assert connections.disconnect_longest_waiting()
        closing.join(10)
        time.sleep(0.1)  # gevent closes a little later.
        assert until_closed(theirs) == bytes(60_000)


@pytest.mark.parametrize("sent", [b"\r\n", HEALTH])
def test_a_caller_who_sends_on_is_there(service, upstream, sent):
    """After the time that a request may take, too: a stray line or the next request is no FIN."""

    def answer_late(connection, request):
        time.sleep(REQUEST + 0.5)
        connection.sendall(fake.good(request))
        return True

    upstream.answers["stt"] = answer_late
    with connect(service) as caller:
        caller.sendall(WHOLE)
        time.sleep(0.2)
        caller.sendall(sent)
        assert b"HTTP/1.1 200" in caller.recv(65_536)


def test_an_idle_connection_is_kept_and_its_next_request_has_its_whole_time(service):
    """Silence is limited within a request; what was waited before its first byte does not count."""
    with connect(service) as caller:
        for wait in (2 * SILENCE, 1.5 * REQUEST):
            time.sleep(wait)
            for part in (b"GET /healthz ", b"HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"):
                caller.sendall(part)
                time.sleep(SILENCE / 8)
            assert one_answer(caller).startswith(b"HTTP/1.1 200")


def test_an_idle_connection_is_closed_in_the_end(service):
    """After its own time, which is longer than a balancer's."""
    begun = time.monotonic()
    with connect(service) as caller:
        assert until_closed(caller) == b""
        assert IDLE <= time.monotonic() - begun < IDLE + PATIENCE


@pytest.mark.parametrize(("dripped", "limit"), [(b"", SILENCE), (b"x", REQUEST)])
def test_an_upload_that_stops_or_drips_is_told_so(service, upstream, dripped, limit):
    """A byte now and then does not keep a greenlet beyond the request's own limit."""
    with connect(service) as caller:
        began = time.monotonic()
        caller.sendall(HEADERS + PART)
        while not select.select([caller], [], [], 0.1)[0]:
            caller.sendall(dripped)
        answer = until_closed(caller)
    assert limit <= time.monotonic() - began < limit + PATIENCE
    assert b"HTTP/1.1 400" in answer
    assert b'"upload_timeout"' in answer
    assert upstream.requests == []


@pytest.mark.parametrize("sent", [b"POST /api/conv", b"POST / HTTP/1.1\r\nHost: x\r\nX: "])
def test_headers_that_stop_are_left(service, sent):
    """There is nobody to tell, so the connection is closed."""
    with connect(service) as caller:
        caller.sendall(sent)
        began = time.monotonic()
        assert until_closed(caller) == b""
    assert time.monotonic() - began < IDLE


def test_stalling_callers_keep_others_out_no_longer_than_they_may_stall(service):
    """More stalled callers than slots: others are told so at once, and served once time is up."""
    stalled = [connect(service) for _ in range(12)]
    for caller in stalled:
        caller.sendall(HEADERS + PART)
    began = time.monotonic()
    status = 503
    while status == 503 and time.monotonic() - began < SILENCE + PATIENCE:
        status = converse(service).status_code
    assert status == 200
    for caller in stalled:
        caller.close()


def test_nothing_of_it_is_logged_as_a_failure_of_the_service(service):
    assert "Traceback" not in service.log
    assert "internal_error" not in service.log


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"1\r\nxy\r\n", b"0\r\nsk-SECRETSECRET\r\n\r\n"])
@pytest.mark.parametrize("kind", [b"text/plain", b"multipart/form-data; boundary=b"])
def test_broken_chunks_are_the_callers_fault_and_keep_no_place(service, kind, chunk):
    """A body that is no HTTP is malformed, is not quoted in the log, and costs no slot."""
    head = HEADERS.replace(b"Content-Length: 5000", b"Transfer-Encoding: chunked")
    head = head.replace(b"multipart/form-data; boundary=b", kind)
    for _ in range(6):  # More than there are slots.
        with connect(service) as caller:
            caller.sendall(head + chunk)
            answer = one_answer(caller)
        assert b'"request_malformed"' in answer
    assert converse(service).status_code == 200
    assert "SECRET" not in service.log
