"""Processes end without harm: what was begun is finished, and others go on."""

import errno
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import requests
from testing.fake_openai import soon
from testing.gunicorn_process import free_port
from testing.raw_callers import HEALTH, PATIENCE, connect, one_answer, until_closed, workers_of
from testing.served_conversations import converse, held, lines


def is_refused(address):
    with socket.socket() as caller:
        return caller.connect_ex(address) == errno.ECONNREFUSED


def both_are_there(service):
    """Wait for the second of two workers: the first answers while gunicorn still waits to fork."""
    assert soon(lambda: len(workers_of(service)) == 2)


def test_what_is_in_flight_at_sigterm_is_finished_and_nothing_else(serve, upstream):
    """Whom it has heard is answered; idle callers are closed, and others go elsewhere at once."""
    gate = threading.Event()
    held(upstream, gate)
    service = serve(port=free_port())
    with (
        ThreadPoolExecutor(8) as callers,
        socket.create_connection(service.address, 10) as kept,
        socket.create_connection(service.address, 10) as silent,
    ):
        kept.sendall(HEALTH)
        assert b"Connection: keep-alive" in one_answer(kept)
        inside = [callers.submit(converse, service) for _ in range(8)]
        assert soon(lambda: len(upstream.requests) == 8)
        begun = time.monotonic()
        service.process.terminate()
        assert until_closed(kept) == until_closed(silent) == b""
        assert time.monotonic() - begun < PATIENCE
        assert soon(lambda: is_refused(service.address))
        gate.set()
        answers = [future.result() for future in inside]
        told = {(answer.status_code, answer.headers["Connection"]) for answer in answers}
        assert told == {(200, "close")}
        assert service.process.wait(10) == 0


def test_whom_the_kernel_has_let_in_is_answered(serve):
    """Connections that no worker had accepted when the service was told to stop."""
    service = serve(port=free_port(), WEB_CONCURRENCY="2")
    both_are_there(service)
    with ExitStack() as opened:
        workers = workers_of(service)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        callers = [opened.enter_context(connect(service)) for _ in range(40)]
        for caller in callers:
            caller.sendall(HEALTH)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
        for caller in callers:
            assert until_closed(caller).startswith(b"HTTP/1.1 200")


def test_a_killed_worker_costs_its_own_conversations_only(serve, upstream):
    """The other worker's callers notice nothing, and a new worker takes the dead one's place."""
    gate = threading.Event()
    held(upstream, gate)
    service = serve(WEB_CONCURRENCY="2")
    both_are_there(service)
    ids = [f"id-{number}" for number in range(24)]

    def attempt(name):
        try:
            return converse(service, **{"X-Request-ID": name}).status_code
        except requests.ConnectionError:
            return "lost"

    with ThreadPoolExecutor(24) as callers:
        outcomes = [callers.submit(attempt, name) for name in ids]
        assert soon(lambda: len(upstream.requests) == len(ids))
        before = workers_of(service)
        os.kill(before[0], signal.SIGKILL)
        time.sleep(0.5)
        gate.set()
        results = [outcome.result() for outcome in outcomes]
        assert set(results) <= {200, "lost"}
        assert converse(service).status_code == 200
        assert soon(lambda: len(set(workers_of(service)) - set(before)) == 1), service.log
    survived = results.count(200)
    named = {line["request_id"] for line in lines(service, survived + 1)}
    assert len(named & set(ids)) == survived
