"""A conversation that holds the worker is ended, and nobody else is harmed."""

import json
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from testing.builders import ran
from testing.fake_streams import streams_chat
from testing.gunicorn_process import ROOT
from testing.raw_callers import connect, health_seconds, until_closed, workers_of
from testing.served_conversations import converse, held
from testing.served_streams import request
from testing.stream_readers import KEYS, events_of, heard

HELD_SECONDS = 10
"""How long /healthz may wait, for what takes a second and a quarter of processor time."""

REPLY = "This is the first sentence of it, and it is long. And this is the second of them. " * 4
JSON, STREAM, SOUND = "application/json", "text/event-stream", "audio/mpeg"

# Where it holds, at which call, what it accepts; its status, and the stage of its failure.
ROWS = [
    ("before the route", 1, JSON, 500, "request"),
    ("uploads", 1, JSON, 500, "request"),
    ("stages", 1, JSON, 206, "text"),
    ("stages", 1, SOUND, 206, "text"),
    ("in the backlog", 1, STREAM, 200, "text"),
    ("at the reply's end", 1, STREAM, 200, "text"),
    ("in a lane", 1, STREAM, 200, "tts"),
    ("events", 1, STREAM, 200, "text"),
    ("speech", 1, SOUND, 206, "tts"),
    ("sound", 3, SOUND, 200, None),
    ("after the answer", 1, JSON, 200, None),
]


@pytest.fixture(scope="module")
def service(serve_all):
    return serve_all(app="testing.faulty_app:app")


def failure_of(answer, accept):
    """The one failure that the whole of an answer tells of; None where there is none."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        body = re.sub(rb"(?:^|\r\n)[0-9a-f]+\r\n", b"", body)
    if b"event-stream" in head:
        stream = heard(events_of([body]))
        assert stream.error == stream.done["errors"][0]
        return stream.error
    if b"audio/" in head:
        return None
    told = json.loads(body)
    assert set(told) in (set(KEYS), {"success", "errors"})
    return told["errors"][0] if told["errors"] else None


@pytest.mark.parametrize(("place", "call", "accept", "status", "stage"), ROWS)
def test_who_holds_the_worker_is_ended_alone(
    service, served_upstream, place, call, accept, status, stage
):
    """Whoever waits beside it is answered by the same worker, and the log names the place."""
    gate = threading.Event()
    held(served_upstream, gate)
    workers, logged = workers_of(service), len(service.log)
    with ThreadPoolExecutor(1) as callers, connect(service) as caller:
        beside = callers.submit(converse, service)
        while served_upstream.requests[-1:] == [] or served_upstream.requests[-1].stage != "stt":
            time.sleep(0.01)
        served_upstream.answers = {"text": streams_chat(reply=lambda body: REPLY)}
        armed = f"{service.url}/fault/{place}"
        assert requests.get(armed, params={"call": call}, timeout=5).ok
        sent = request(accept).replace(b"Host: x", b"Host: x\r\nConnection: close")
        caller.sendall(sent)
        time.sleep(0.3)
        assert health_seconds(service) < HELD_SECONDS
        answer = until_closed(caller)
        gate.set()
        assert beside.result().status_code == 200
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1") == 1
    failure = failure_of(answer, accept)
    if accept == JSON:
        assert (b'"models_used"' in answer) is (place != "before the route")
    if stage:
        assert (failure["stage"], failure["code"]) == (stage, "internal_error")
    assert (accept == SOUND and status == 200) is not answer.endswith((b"0\r\n\r\n", b"}\n"))
    assert workers_of(service) == workers
    served_upstream.answers = {}
    assert converse(service).status_code == 200
    assert service.logs("event=worker_held", logged)
    [line] = [line for line in service.log[logged:].splitlines() if "event=worker_held" in line]
    assert re.search(r" place=.?testing/faulty_app.py:\d+ hold", line)
    assert "Traceback" not in service.log


@pytest.mark.parametrize(("place", "yields"), [("stages", {"yields": "1"}), ("gunicorn", {})])
def test_who_lets_others_run_is_not_ended_nor_gunicorns_own(service, place, yields):
    """Though it takes five times as long as a conversation may hold the worker."""
    workers, logged = workers_of(service), len(service.log)
    armed = f"{service.url}/fault/{place}"
    assert requests.get(armed, params={"seconds": "1", **yields}, timeout=5).ok
    time.sleep(1.2)  # gunicorn's own comes once in a second.
    assert converse(service).status_code == 200
    health_seconds(service)
    assert workers_of(service) == workers
    assert "worker_held" not in service.log[logged:]


def test_a_held_worker_stops_as_any_other(serve):
    service = serve(app="testing.faulty_app:app")
    with connect(service) as caller:
        assert requests.get(f"{service.url}/fault/stages", timeout=5).ok
        caller.sendall(request(JSON))
        time.sleep(0.1)
        service.process.terminate()
        assert b'"internal_error"' in until_closed(caller)
        assert service.process.wait(10) == 0


def test_the_watchdog_outlives_no_worker():
    """Its signal would kill a process that ends: Python takes the handler away before that."""
    code = "from parley.web.serving import watchdog\nwatchdog.LOOK_SECONDS = 0.0005\n"
    code += "import wsgi\nwatchdog.Watchdog().start()"
    ran(sys.executable, "-c", code, PYTHONPATH=f"{ROOT}:{ROOT / 'src'}")
