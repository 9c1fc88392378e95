"""Nothing that one caller does is felt by another: attacks on the service as it is served."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests
from testing import fake_openai as fake
from testing.builders import wav
from testing.raw_callers import (
    HEALTH,
    PATIENCE,
    connect,
    health_seconds,
    one_answer,
    until_closed,
    workers_of,
)
from testing.served_conversations import HEADERS, converse

FEW_FILES = ("prlimit", "--nofile=64:64")


def test_a_caller_who_pipelines_keeps_nobody_waiting(service):
    """Requests that are always there already do not have the worker to themselves."""
    over = threading.Event()
    with connect(service) as caller:

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
                assert max(health_seconds(service) for _ in range(5)) < PATIENCE
            finally:
                over.set()
                caller.shutdown(socket.SHUT_RDWR)
            for task in tasks:
                task.exception(PATIENCE)


@pytest.mark.alone
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
            assert answer in until_closed(caller)
        assert health_seconds(service) < PATIENCE


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


def test_a_worker_survives_the_end_of_its_descriptors(serve):
    """Callers come and go beyond what it may open, and the same process answers the next."""
    service = serve(under=FEW_FILES)
    with ExitStack() as callers:
        [worker] = workers_of(service)
        for _ in range(200):
            callers.enter_context(socket.create_connection(service.address))
        assert max(health_seconds(service) for _ in range(5)) < PATIENCE
        with ThreadPoolExecutor(4) as talking:
            recording = wav(10)  # Long enough to be a file.
            talks = [talking.submit(converse, service, 30, recording) for _ in range(4)]
            assert [talk.result().status_code for talk in talks] == [200] * 4
        assert workers_of(service) == [worker]


def test_a_worker_survives_hosts_without_number(serve):
    """Each host that a caller chooses keeps its connection open, until files run out."""
    with ExitStack() as running:
        hosts = [running.enter_context(fake.running()).url for _ in range(60)]
        service = serve(under=FEW_FILES, PARLEY_ALLOWED_BASE_URLS=" ".join(hosts))
        for host in hosts:
            answer = converse(service, **{"X-OpenAI-Base-URL": host})
            assert answer.status_code == 200, host
