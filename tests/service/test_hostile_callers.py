"""Nothing that one caller does is felt by another: attacks on the service as it is served."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from testing import fake_openai as fake
from testing import raw_callers
from testing.builders import KEY, wav
from testing.raw_callers import HEALTH, LONG_HEADERS, PATIENCE, connect, health_seconds
from testing.served_conversations import converse

FORM = (
    b"POST /api/conversation/ HTTP/1.1\r\nX-OpenAI-API-Key: " + KEY.encode() + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 20000000\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="audio"'
)
CALLERS = 200


def few_files(number):
    """A command under which so many descriptors may be open: four for each connection."""
    return ("prlimit", f"--nofile={number}:{number}")


@pytest.fixture(scope="module")
def roomy_service(serve_all):
    """For callers who might fill its memory; and what it has before the first of them, in MB."""
    service = serve_all()
    return service, raw_callers.memory(service)


@pytest.fixture(scope="module")
def narrow_service(serve_all):
    return serve_all(under=few_files(160))


def keeps_nobody_waiting(service):
    return max(health_seconds(service) for _ in range(5)) < PATIENCE


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
def test_what_never_ends_fills_no_memory(roomy_service, sent):
    """Each of these was kept whole, some 0.6 MB a caller, as long as the caller stayed."""
    service, before = roomy_service
    with ExitStack() as callers:
        for _ in range(CALLERS):
            callers.enter_context(connect(service)).sendall(sent)
        health_seconds(service)
        time.sleep(1)
        assert raw_callers.memory(service) - before < 0.5 * CALLERS
        assert keeps_nobody_waiting(service)


def test_uploads_that_come_fast_are_taken_in_small_pieces(serve):
    """What a caller's kernel holds ready is not read into memory faster than it is written out."""
    service, piece = serve(), bytes(256 * 1024)
    before, most = raw_callers.memory(service), 0.0
    with ExitStack() as stack:
        callers = [stack.enter_context(connect(service)) for _ in range(CALLERS)]
        for caller in callers:
            caller.sendall(FORM + b'; filename="a"\r\n\r\n')
            caller.setblocking(False)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for caller in callers:
                with suppress(BlockingIOError):
                    caller.send(piece)
            most = max(most, raw_callers.memory(service) - before)
    assert most < 0.4 * CALLERS


def test_callers_who_read_no_answers_make_room(narrow_service):
    """They pipeline more than they read, without a key, until there are no connections left."""
    service = narrow_service
    with ExitStack() as callers:
        for _ in range(60):
            caller = callers.enter_context(socket.socket())
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.connect(service.address)
            caller.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    caller.send(HEALTH * 50)
        time.sleep(2)
        assert keeps_nobody_waiting(service)
        assert "Traceback" not in service.log


def test_uploads_that_stall_leave_connections_for_others(narrow_service):
    """Where descriptors are fewer than conversations: callers are told so, and /healthz answers."""
    service = narrow_service
    with ExitStack() as callers:
        for _ in range(60):
            callers.enter_context(connect(service)).sendall(FORM)
        assert keeps_nobody_waiting(service)
        assert service.logs("code=overloaded")


def test_a_caller_who_pipelines_keeps_nobody_waiting(service):
    """Requests that are always there already do not have the worker to themselves."""
    with connect(service) as caller:

        def send():
            with suppress(OSError):
                while True:
                    caller.sendall(HEALTH * 500)

        def receive():
            with suppress(OSError):
                while caller.recv(1_000_000):
                    pass

        tasks = [threading.Thread(target=each, daemon=True) for each in (send, receive)]
        for task in tasks:
            task.start()
        time.sleep(0.5)
        assert keeps_nobody_waiting(service)
        caller.shutdown(socket.SHUT_RDWR)
        for task in tasks:
            task.join(PATIENCE)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"HTTP/1.0 200"),
        (b"\x16\x03\x01" + bytes(range(256)) * 40, b'"request_malformed"'),
    ],
    ids=["HTTP/1.0", "garbage"],
)
def test_whose_connection_is_closed_holds_up_nobody(service, sent, answer):
    """Each is answered and left, though it keeps its own side open, while others are answered."""
    with ExitStack() as callers:
        for _ in range(8):
            caller = callers.enter_context(connect(service))
            caller.sendall(sent)
            assert answer in raw_callers.until_closed(caller)
        assert health_seconds(service) < PATIENCE


def test_silent_callers_keep_nobody_waiting(service):
    """More than there are connections: the one that is idle longest makes room."""
    with ExitStack() as callers:
        silent = [callers.enter_context(connect(service)) for _ in range(1_100)]
        assert keeps_nobody_waiting(service)
        silent[0].settimeout(PATIENCE)
        assert silent[0].recv(1) == b""
        silent[-1].sendall(HEALTH)
        assert raw_callers.one_answer(silent[-1]).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in service.log


def test_a_worker_survives_the_end_of_its_descriptors(serve):
    """Callers and the hosts they choose go beyond what it may open; the same process answers on."""
    with ExitStack() as opened:
        hosts = [opened.enter_context(fake.running()).url for _ in range(60)]
        service = serve(under=few_files(64), PARLEY_ALLOWED_BASE_URLS=" ".join(hosts))
        [worker] = raw_callers.workers_of(service)
        for host in hosts:
            assert converse(service, **{"X-OpenAI-Base-URL": host}).status_code == 200, host
        for _ in range(200):
            opened.enter_context(connect(service))
        assert keeps_nobody_waiting(service)
        with ThreadPoolExecutor(4) as talking:
            recording = wav(10)  # Long enough to be a file.
            talks = [talking.submit(converse, service, 30, recording) for _ in range(4)]
            assert [talk.result().status_code for talk in talks] == [200] * 4
        assert raw_callers.workers_of(service) == [worker]
