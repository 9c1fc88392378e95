"""Nothing that one caller does is felt by another: attacks on the service as it is served."""

import json
import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests
from testing import fake_openai as fake
from testing.builders import KEY, wav
from testing.gunicorn_process import free_port, serving
from testing.raw_callers import HEALTH, PATIENCE, health_seconds, until_closed, workers_of

HEADERS = {"X-OpenAI-API-Key": KEY}


@pytest.fixture(scope="module")
def upstream():
    with fake.running() as running:
        yield running


@pytest.fixture(scope="module")
def service(upstream, tmp_path_factory):
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_CAPACITY": "4"}
    with serving(tmp_path_factory.mktemp("service") / "log", variables) as running:
        yield running


def one_answer(caller: socket.socket) -> bytes:
    """An answer with Content-Length, and not a byte more."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += caller.recv(1)
    length = int(re.search(rb"Content-Length: (\d+)", answer)[1])
    body = b""
    while len(body) < length:
        body += caller.recv(length - len(body))
    return answer + body


def test_a_caller_who_pipelines_keeps_nobody_waiting(service):
    """Requests that are always there already do not have the worker to themselves."""
    over = threading.Event()
    with socket.create_connection(service.address) as caller:
        caller.settimeout(PATIENCE)

        def send():
            while not over.is_set():
                caller.sendall(HEALTH * 500)

        def receive():
            while not over.is_set():
                caller.recv(1_000_000)

        with ThreadPoolExecutor(2) as both:
            tasks = [both.submit(send), both.submit(receive)]
            time.sleep(0.5)
            try:
                assert max(health_seconds(service) for _ in range(5)) < 2
            finally:
                over.set()
                caller.shutdown(socket.SHUT_RDWR)
            for task in tasks:
                task.exception(PATIENCE)


def test_long_uploads_keep_nobody_waiting(service):
    """What 16 callers send is written to disk without holding up others."""
    body = b"--b\r\n" + b'Content-Disposition: form-data; name="x"; filename="a"\r\n\r\n'
    body += bytes(25_000_000) + b"\r\n--b--\r\n"

    def upload():
        return requests.post(
            service.conversation_url,
            headers={**HEADERS, "Content-Type": "multipart/form-data; boundary=b"},
            data=body,
            timeout=60,
        ).status_code

    with ThreadPoolExecutor(16) as callers:
        uploads = [callers.submit(upload) for _ in range(16)]
        time.sleep(0.2)
        waits = [health_seconds(service) for _ in range(10)]
        assert {task.result() for task in uploads} <= {400, 503}
    assert sorted(waits)[5] < 1


def test_an_http_1_0_caller_who_stays_holds_up_nobody(service):
    """The answer closes the connection; the caller who keeps their side open is left."""
    with ExitStack() as callers:
        for _ in range(8):
            caller = callers.enter_context(socket.create_connection(service.address))
            caller.settimeout(PATIENCE)
            caller.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert until_closed(caller).startswith(b"HTTP/1.0 200")
        assert health_seconds(service) < 2


def test_garbage_holds_up_nobody(service):
    """Each is told so in JSON and closed, while others are answered."""
    with ExitStack() as callers:
        for _ in range(8):
            caller = callers.enter_context(socket.create_connection(service.address))
            caller.settimeout(PATIENCE)
            caller.sendall(b"\x16\x03\x01" + bytes(range(256)) * 40)
            assert b'"request_malformed"' in until_closed(caller)
        assert health_seconds(service) < 2


def test_silent_callers_keep_nobody_waiting(service):
    """More than there are connections: the one that is idle longest makes room."""
    with ExitStack() as callers:
        silent = [
            callers.enter_context(socket.create_connection(service.address)) for _ in range(1_100)
        ]
        assert max(health_seconds(service) for _ in range(3)) < PATIENCE
        silent[0].settimeout(PATIENCE)
        assert silent[0].recv(1) == b""
        silent[-1].settimeout(PATIENCE)
        silent[-1].sendall(HEALTH)
        assert one_answer(silent[-1]).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in service.log


def test_a_worker_survives_the_end_of_its_descriptors(upstream, tmp_path):
    """Callers come and go beyond what it may open, and the same process answers the next."""
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    limited = ("prlimit", "--nofile=64:64")
    with serving(tmp_path / "log", variables, under=limited) as service, ExitStack() as callers:
        [worker] = workers_of(service)
        for _ in range(200):
            callers.enter_context(socket.create_connection(service.address))
        assert max(health_seconds(service) for _ in range(5)) < PATIENCE

        def converse(_):
            recording = wav(10)  # Long enough to be a file.
            return requests.post(
                service.conversation_url, headers=HEADERS, files={"audio": recording}, timeout=30
            ).status_code

        with ThreadPoolExecutor(4) as talking:
            assert list(talking.map(converse, range(4))) == [200] * 4
        assert workers_of(service) == [worker]


def test_a_worker_has_one_thread_however_many_wait(service, upstream):
    """A conversation that waits costs no thread, of which small dynos have 256."""
    gate = threading.Event()

    def answer(connection, request):
        gate.wait(20)
        connection.sendall(fake.good(request))
        return True

    def converse():
        return requests.post(
            service.conversation_url, headers=HEADERS, files={"audio": wav()}, timeout=30
        ).status_code

    upstream.answers["stt"] = answer
    before = len(upstream.requests)
    try:
        with ThreadPoolExecutor(4) as callers:
            inside = [callers.submit(converse) for _ in range(4)]
            deadline = time.monotonic() + PATIENCE
            while len(upstream.requests) < before + 4 and time.monotonic() < deadline:
                time.sleep(0.01)
            [worker] = workers_of(service)
            threads = len(os.listdir(f"/proc/{worker}/task"))  # noqa: PTH208  # A folder of /proc.
            gate.set()
            assert [task.result() for task in inside] == [200] * 4
    finally:
        upstream.answers.clear()
        gate.set()
    assert threads == 1


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431, "headers_too_large"),
        (b"SECRET\r\n\r\n", 400, "request_malformed"),
        (b"GET /SECRET HTTP/9.9\r\n\r\n", 400, "request_malformed"),
        (b"get / HTTP/1.1\r\n\r\n", 400, "request_malformed"),
        (b"GET / HTTP/1.1\r\nSECRET\r\n\r\n", 400, "request_malformed"),
        (b"GET / HTTP/1.1\r\nExpect: SECRET\r\n\r\n", 400, "request_malformed"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: SECRET\r\n\r\n", 400, "request_malformed"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            "request_malformed",
        ),
    ],
    ids=["line", "header", "headers", "text", "version", "method", "name", "417", "501", "lengths"],
)
def test_what_is_no_request_is_answered_in_json(service, sent, status, code):
    """The whole app's shape and headers, with nothing of the request in it or in the log."""
    with socket.create_connection(service.address) as caller:
        caller.settimeout(PATIENCE)
        caller.sendall(sent)
        answer = until_closed(caller)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    for header in (b"Connection: close", b"Content-Type: application/json", b"X-Request-ID: "):
        assert header in head
    told = json.loads(body)
    assert list(told) == ["success", "errors"]
    assert (told["errors"][0]["stage"], told["errors"][0]["code"]) == ("request", code)
    assert b"SECRET" not in answer
    assert "SECRET" not in service.log
    assert "Traceback" not in service.log


def test_a_callers_script_name_moves_nothing(upstream, tmp_path):
    """Even where the platform trusts every sender's headers, as Heroku's build has it."""
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "FORWARDED_ALLOW_IPS": "*"}
    with serving(tmp_path / "log", variables) as service:
        for name in ("SCRIPT_NAME", "PATH_INFO"):
            answer = requests.get(f"{service.url}/healthz", headers={name: "/x"}, timeout=5)
            assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/api/conversation/"])
def test_options_is_answered_without_a_body(service, path):
    """204 and what is allowed."""
    answer = requests.options(f"{service.url}{path}", timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "OPTIONS" in answer.headers["Allow"]
    assert "Content-Type" not in answer.headers
    missing = requests.options(f"{service.url}/nowhere", timeout=5)
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "not_found")


class TestKeys:
    def test_a_key_in_headers_that_end_early_is_not_logged(self, upstream, tmp_path):
        """Whoever switches gunicorn's log to DEBUG, and however."""
        variables = {
            "PARLEY_OPENAI_BASE_URL": upstream.url,
            "PARLEY_LOG_LEVEL": "DEBUG",
            "GUNICORN_CMD_ARGS": "--log-level=debug",
        }
        with serving(tmp_path / "log", variables) as service:
            with socket.create_connection(service.address) as caller:
                caller.sendall(f"POST / HTTP/1.1\r\nX-OpenAI-API-Key: {KEY}\r\n".encode())
            health_seconds(service)
            assert KEY[-6:] not in service.log

    def test_the_access_log_shows_nothing_that_a_caller_wrote(self, upstream, tmp_path):
        """As platforms switch it on: no query, no user, no referer."""
        variables = {
            "PARLEY_OPENAI_BASE_URL": upstream.url,
            "GUNICORN_CMD_ARGS": "--access-logfile -",
        }
        with serving(tmp_path / "log", variables) as service:
            answer = requests.get(
                f"{service.url}/{KEY}?api_key={KEY}",
                auth=(KEY, KEY),
                headers={"Referer": f"https://x.example/?{KEY}", "User-Agent": KEY},
                timeout=5,
            )
            deadline = time.monotonic() + PATIENCE
            while answer.headers["X-Request-ID"] not in service.log:
                assert time.monotonic() < deadline, service.log
                time.sleep(0.05)
            assert KEY not in service.log


class TestStop:
    def test_connections_that_are_kept_alive_end_soon(self, upstream, tmp_path):
        """SIGTERM does not wait for idle callers, and a request that was under way closes."""
        gate = threading.Event()

        def answer(connection, request):
            gate.wait(20)
            connection.sendall(fake.good(request))
            return True

        upstream.answers["stt"] = answer
        before = len(upstream.requests)
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
        try:
            with (
                serving(tmp_path / "log", variables) as service,
                ThreadPoolExecutor(1) as callers,
                ExitStack() as opened,
            ):
                kept = opened.enter_context(socket.create_connection(service.address))
                silent = opened.enter_context(socket.create_connection(service.address))
                for caller in (kept, silent):
                    caller.settimeout(10)
                kept.sendall(HEALTH)
                assert b"Connection: keep-alive" in one_answer(kept)
                inside = callers.submit(
                    requests.post,
                    service.conversation_url,
                    headers=HEADERS,
                    files={"audio": wav()},
                    timeout=30,
                )
                deadline = time.monotonic() + PATIENCE
                while len(upstream.requests) == before and time.monotonic() < deadline:
                    time.sleep(0.01)
                begun = time.monotonic()
                service.process.send_signal(signal.SIGTERM)
                assert until_closed(kept) == until_closed(silent) == b""
                assert time.monotonic() - begun < PATIENCE
                gate.set()
                response = inside.result()
                assert response.status_code == 200
                assert response.headers["Connection"] == "close"
                assert service.process.wait(10) == 0
        finally:
            gate.set()
            upstream.answers.clear()

    def test_whom_the_kernel_has_let_in_is_answered(self, upstream, tmp_path):
        """Connections that no worker had accepted when the service was told to stop."""
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
        with (
            serving(tmp_path / "log", variables, port=free_port()) as service,
            ExitStack() as opened,
        ):
            workers = workers_of(service)
            for worker in workers:
                os.kill(worker, signal.SIGSTOP)
            callers = [
                opened.enter_context(socket.create_connection(service.address, 10))
                for _ in range(40)
            ]
            for caller in callers:
                caller.sendall(HEALTH)
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            for worker in workers:
                os.kill(worker, signal.SIGCONT)
            for caller in callers:
                assert until_closed(caller).startswith(b"HTTP/1.1 200")
