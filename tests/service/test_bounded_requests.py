"""What a request may hold in memory, and may cost, before anything is known of its sender."""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import pytest
import requests
from testing.builders import KEY, ROOT
from testing.gunicorn_process import environment, serving
from testing.raw_callers import HEALTH, PATIENCE, connect, health_seconds, memory, until_closed

LONG_HEADERS = b"".join(b"X-%d: " % i + b"a" * 8_100 + b"\r\n" for i in range(97))
FORM = (
    b"POST /api/conversation/ HTTP/1.1\r\nX-OpenAI-API-Key: " + KEY.encode() + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 20000000\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="audio"'
)
CALLERS = 200


@pytest.fixture
def service(upstream, tmp_path):
    with serving(tmp_path / "log", {"PARLEY_OPENAI_BASE_URL": upstream.url}) as running:
        yield running


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\n" + LONG_HEADERS,
        b"POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + LONG_HEADERS,
        FORM + b"\r\n\r\n" + b"a" * 490_000,
        FORM[:-1] + b"a" * 490_000,
    ],
    ids=["headers", "trailers", "text", "part"],
)
def test_what_never_ends_fills_no_memory(service, sent):
    """Each of these was kept whole, some 0.6 MB a caller, as long as the caller stayed."""
    before = memory(service)
    with ExitStack() as callers:
        for _ in range(CALLERS):
            caller = callers.enter_context(connect(service))
            caller.sendall(sent)
        health_seconds(service)
        time.sleep(1)
        assert memory(service) - before < 0.5 * CALLERS
        assert health_seconds(service) < PATIENCE


def test_headers_that_are_too_long_together_are_told_so(service):
    """Each of them may be as long as it is."""
    with connect(service) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\n" + LONG_HEADERS + b"\r\n")
        answer = until_closed(caller)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b'"headers_too_large"' in answer
    few = {f"X-{i}": "a" * 8_000 for i in range(3)}
    assert requests.get(f"{service.url}/healthz", headers=few, timeout=5).status_code == 200


def test_uploads_that_come_fast_are_taken_in_small_pieces(service):
    """What a caller's kernel holds ready is not read into memory faster than it is written out."""
    before, most = memory(service), 0.0
    with ExitStack() as callers:
        opened = []
        for _ in range(CALLERS):
            caller = callers.enter_context(socket.create_connection(service.address))
            caller.sendall(FORM + b'; filename="a"\r\n\r\n')
            caller.setblocking(False)
            opened.append(caller)
        piece = bytes(256 * 1024)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for caller in opened:
                with suppress(BlockingIOError):
                    caller.send(piece)
            most = max(most, memory(service) - before)
    assert most < 0.4 * CALLERS


def test_callers_who_read_no_answers_make_room(upstream, tmp_path):
    """They pipeline more than they read, without a key, until there are no connections left."""
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    limited = ("prlimit", "--nofile=160:160")
    with serving(tmp_path / "log", variables, under=limited) as service, ExitStack() as callers:
        for _ in range(60):  # There are 40.
            caller = callers.enter_context(socket.socket())
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.connect(service.address)
            caller.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    caller.send(HEALTH * 50)
        time.sleep(2)
        assert max(health_seconds(service) for _ in range(5)) < PATIENCE
        assert "Traceback" not in service.log


def test_uploads_that_stall_leave_connections_for_others(upstream, tmp_path):
    """Where descriptors are fewer than conversations: callers are told so, and /healthz answers."""
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    limited = ("prlimit", "--nofile=160:160")
    with serving(tmp_path / "log", variables, under=limited) as service, ExitStack() as callers:
        for _ in range(60):  # There are 40.
            caller = callers.enter_context(socket.create_connection(service.address))
            caller.sendall(FORM)
        assert max(health_seconds(service) for _ in range(5)) < PATIENCE
        assert service.logs("code=overloaded")


def test_tls_in_the_server_itself_is_refused(tmp_path):
    """Else the worker would answer in plain HTTP where its operator believes it is encrypted."""
    file = tmp_path / "pem"
    file.touch()
    assert refusal(f"--certfile={file}").startswith("Parley does not start: it speaks plain HTTP")


def test_no_workers_are_refused():
    """Else callers would be let in, and wait for an answer that nobody gives."""
    assert refusal(WEB_CONCURRENCY="0").startswith("Parley does not start: WEB_CONCURRENCY is 0")


def refusal(*options: str, **variables: str) -> str:
    """The last line of a start that fails."""
    start = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", *options, "wsgi:app"],
        cwd=ROOT,
        env=environment(**variables),
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )
    assert start.returncode == 1
    return start.stderr.splitlines()[-1]
