"""Callers cannot hold a thread by stalling, and nothing is done for those who have gone."""

import select
import socket
import textwrap
import time

import pytest
import requests
from testing import fake_openai as fake
from testing.builders import KEY, ROOT, wav
from testing.gunicorn_process import serving

HEADERS = (
    b"POST /api/conversation/ HTTP/1.1\r\nHost: x\r\nX-OpenAI-API-Key: " + KEY.encode() + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
SILENCE, REQUEST, IDLE = 1.5, 2.5, 5


@pytest.fixture(scope="module")
def upstream():
    with fake.running() as running:
        yield running


@pytest.fixture(scope="module")
def service(upstream, tmp_path_factory):
    """The service with its limits shortened, where gunicorn reads its configuration."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "gunicorn.conf.py").write_text(
        (ROOT / "gunicorn.conf.py").read_text()
        + textwrap.dedent(
            f"""
            from parley.web import connection_limits
            connection_limits.SILENCE_SECONDS = {SILENCE}
            connection_limits.REQUEST_SECONDS = {REQUEST}
            keepalive = {IDLE}
            """
        )
    )
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_CAPACITY": "4"}
    configuration = f"--config={folder / 'gunicorn.conf.py'}"
    with serving(folder / "log", variables, ROOT, configuration) as running:
        yield running


def connect(service) -> socket.socket:
    host, port = service.url.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)))
    caller.settimeout(30)
    return caller


def read(caller: socket.socket) -> bytes:
    answer = b""
    while chunk := caller.recv(65_536):
        answer += chunk
    return answer


def test_an_upload_that_stops_is_told_so(service, upstream):
    """Silence amid the body ends in upload_timeout."""
    before = len(upstream.requests)
    with connect(service) as caller:
        caller.sendall(HEADERS + PART)
        began = time.monotonic()
        answer = read(caller)
    assert SILENCE <= time.monotonic() - began < SILENCE + 5
    assert b"HTTP/1.1 400" in answer
    assert b'"upload_timeout"' in answer
    assert len(upstream.requests) == before


def test_an_upload_that_drips_is_ended(service):
    """A byte now and then does not keep a thread beyond the request's own limit."""
    with connect(service) as caller:
        began = time.monotonic()
        caller.sendall(HEADERS + PART)
        while not select.select([caller], [], [], 0.1)[0]:
            caller.sendall(b"x")
        answer = caller.recv(65_536)
        while b'"errors"' not in answer:
            answer += caller.recv(65_536)
    assert REQUEST <= time.monotonic() - began < REQUEST + 5
    assert b'"upload_timeout"' in answer


@pytest.mark.parametrize("sent", [b"POST /api/conv", b"POST / HTTP/1.1\r\nHost: x\r\nX: "])
def test_headers_that_stop_are_left(service, sent):
    """There is nobody to tell, so the connection is closed."""
    with connect(service) as caller:
        caller.sendall(sent)
        began = time.monotonic()
        assert read(caller) == b""
    assert time.monotonic() - began < IDLE


def test_stalling_callers_keep_others_out_no_longer_than_they_may_stall(service):
    """More stalled callers than slots: others are told so at once, and served once time is up."""
    stalled = [connect(service) for _ in range(12)]
    for caller in stalled:
        caller.sendall(HEADERS + PART)
    began = time.monotonic()
    status = 503
    while status == 503 and time.monotonic() - began < SILENCE + 2:
        status = requests.post(
            service.conversation_url,
            headers={"X-OpenAI-API-Key": KEY},
            files={"audio": wav()},
            timeout=10,
        ).status_code
    assert status == 200
    for caller in stalled:
        caller.close()


@pytest.mark.parametrize("stage", ["stt", "text"])
def test_no_stage_is_begun_for_a_caller_who_has_gone(service, upstream, stage):
    """A FIN amid a stage: that stage ends, and the next one is never called."""
    body = PART + wav() + b"\r\n--b--\r\n"
    upstream.requests.clear()
    with connect(service) as caller:

        def answer_late(connection, request):
            caller.shutdown(socket.SHUT_WR)
            time.sleep(0.1)
            connection.sendall(fake.good(request))
            return True

        upstream.answers[stage] = answer_late
        caller.sendall(HEADERS.replace(b"5000", str(len(body)).encode()) + body)
        answer = read(caller)
    upstream.answers.clear()
    assert [request.stage for request in upstream.requests][-1] == stage
    assert b'"request_malformed"' in answer


def test_nothing_of_it_is_logged_as_a_failure_of_the_service(service):
    """Callers come and go; the log is for what needs mending."""
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
            answer = caller.recv(65_536)
            while b'"errors"' not in answer:
                answer += caller.recv(65_536)
        assert b'"request_malformed"' in answer
    response = requests.post(
        service.conversation_url,
        headers={"X-OpenAI-API-Key": KEY},
        files={"audio": wav()},
        timeout=10,
    )
    assert response.status_code == 200
    assert "SECRET" not in service.log


def hear(service, upstream, read, speech=16_000_000):
    """A conversation with a long answer, which `read` reads; the answer."""
    body = PART + wav() + b"\r\n--b--\r\n"

    def speak(connection, request):
        connection.sendall(fake.http(bytes(speech), Content_Type="audio/mpeg"))
        return True

    upstream.answers["tts"] = speak
    try:
        with connect(service) as caller:
            caller.sendall(HEADERS.replace(b"5000", str(len(body)).encode()) + body)
            return read(caller)
    finally:
        upstream.answers.clear()


def test_a_slow_reader_gets_everything(service, upstream):
    """However long it takes: a caller who goes on reading is not cut off."""

    def slowly(caller):
        answer = bytearray()
        begun = time.monotonic()
        while time.monotonic() - begun < 2 * SILENCE:
            time.sleep(SILENCE / 8)
            answer += caller.recv(64_000)
        while chunk := caller.recv(1_000_000):
            answer += chunk
            if answer.endswith(b"}\n"):
                break
        return bytes(answer)

    head, _, body = hear(service, upstream, slowly).partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert len(body) > 21_000_000


def test_a_reader_who_stalls_is_dropped_and_told_of(service, upstream):
    """The log says that the answer of this request was not all read."""

    def stall(caller):
        head = caller.recv(1_000).decode()
        line = next(line for line in head.splitlines() if line.startswith("X-Request-ID"))
        told = f"event=answer_cut request_id={line.split()[1]} "
        deadline = time.monotonic() + 20
        while told not in service.log and time.monotonic() < deadline:
            time.sleep(0.05)

    begun = time.monotonic()
    hear(service, upstream, stall)
    assert SILENCE <= time.monotonic() - begun < 20


@pytest.mark.parametrize("sent", [b"\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_caller_who_sends_on_is_there(service, upstream, sent):
    """After the time that a request may take, too: a stray line or the next request is no FIN."""
    body = PART + wav() + b"\r\n--b--\r\n"

    def answer_late(connection, request):
        time.sleep(REQUEST + 0.5)
        connection.sendall(fake.good(request))
        return True

    upstream.answers["stt"] = answer_late
    try:
        with connect(service) as caller:
            caller.sendall(HEADERS.replace(b"5000", str(len(body)).encode()) + body)
            time.sleep(0.2)
            caller.sendall(sent)
            answer = caller.recv(65_536)
    finally:
        upstream.answers.clear()
    assert b"HTTP/1.1 200" in answer


def test_an_idle_connection_is_kept(service):
    """Silence is limited within a request; before one a connection may wait."""
    with connect(service) as caller:
        for wait in (2 * SILENCE, 1.5 * REQUEST):
            time.sleep(wait)
            caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = caller.recv(65_536)
            while not answer.endswith(b"}\n"):
                answer += caller.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200")


def test_an_idle_connection_is_closed_in_the_end(service):
    """After its own time, which is longer than a balancer's."""
    begun = time.monotonic()
    with connect(service) as caller:
        assert read(caller) == b""
        assert IDLE <= time.monotonic() - begun < IDLE + 2


def test_a_request_has_its_whole_time_after_a_long_wait(service):
    """What was waited for before its first byte does not count."""
    with connect(service) as caller:
        time.sleep(IDLE - 0.5)
        for part in (b"GET /healthz ", b"HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"):
            caller.sendall(part)
            time.sleep(SILENCE / 4)
        assert caller.recv(65_536).startswith(b"HTTP/1.1 200")
