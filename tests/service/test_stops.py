"""Processes end without harm: what was begun is finished, and others go on."""

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import requests
from testing.fake_openai import soon
from testing.gunicorn_process import free_port, serving
from testing.raw_callers import HEALTH, PATIENCE, one_answer, until_closed, workers_of
from testing.served_conversations import converse, held, lines


class TestStop:
    def test_connections_that_are_kept_alive_end_soon(self, upstream, tmp_path):
        """SIGTERM does not wait for idle callers, and a request that was under way closes."""
        gate = threading.Event()
        held(upstream, gate, 20)
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
                inside = callers.submit(converse, service, 30)
                assert soon(lambda: len(upstream.requests) > before)
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
                opened.enter_context(socket.create_connection(service.address, 30))
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


def test_a_killed_worker_costs_its_own_conversations_only(upstream, tmp_path):
    """The other worker's callers notice nothing, and a new worker takes the dead one's place."""
    gate = threading.Event()
    held(upstream, gate)
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
    ids = [f"id-{number}" for number in range(24)]

    def attempt(name):
        try:
            return converse(service, **{"X-Request-ID": name}).status_code
        except requests.ConnectionError:
            return "lost"

    with serving(tmp_path / "log", variables) as service, ThreadPoolExecutor(24) as callers:
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
    survived = {line["request_id"] for line in lines(service)} & set(ids)
    assert results.count(200) == len(survived)


def is_refused(address):
    try:
        socket.create_connection(address, timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_what_is_in_flight_at_sigterm_is_finished(upstream, tmp_path):
    """A stopping service answers whom it has heard, and lets others go elsewhere at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gate = threading.Event()
    held(upstream, gate)
    with (
        serving(tmp_path / "log", {"PARLEY_OPENAI_BASE_URL": upstream.url}, port=port) as service,
        ThreadPoolExecutor(8) as callers,
    ):
        inside = [callers.submit(converse, service) for _ in range(8)]
        assert soon(lambda: len(upstream.requests) == 8)
        service.process.terminate()
        assert soon(lambda: is_refused(service.address))
        gate.set()
        assert [future.result().status_code for future in inside] == [200] * 8
        assert service.process.wait(10) == 0
