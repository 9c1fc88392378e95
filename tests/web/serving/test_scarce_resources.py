"""What a worker has few of: slots, connections, threads and room for its log."""

import errno
import json
import os
import resource
import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager, nullcontext
from unittest.mock import Mock

import gevent
import pytest
from flask import Flask
from gevent.monkey import saved
from gevent.pool import Pool
from gevent.server import StreamServer
from testing.builders import make_app, wav
from testing.conversation_forms import DEFAULTS, STT, TTS, check, post

from parley.memory import Budget
from parley.web.serving.connection_limits import CallerConnections
from parley.web.serving.log_stream import LINE_BYTES, LogStream, LogWriter
from parley.web.serving.slots import SLOT, Slot, Slots
from parley.web.serving.worker import Listener

CAPACITY = 2
RECORDING_BYTES = 200_000


@pytest.fixture
def client():
    return make_app(PARLEY_CAPACITY=str(CAPACITY)).test_client()


@contextmanager
def full_disk(size):
    """A block with room for so many bytes in a file; pytest writes its own before and after it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_answer_and_costs_no_slot(client, openai, caplog):
    """Each caller is told that the service is full, the operator why; the next one finds a slot."""
    for _ in range(2 * CAPACITY):
        # The last bytes are in the file's buffer when it is full: closing it fails as writing did.
        with full_disk(RECORDING_BYTES - 1_000):
            response = post(client, audio=bytes(RECORDING_BYTES))
        assert response.headers["Retry-After"] == "2"
        assert check(response, 503, "overloaded")["models_used"] == DEFAULTS
    told = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert [(each["kind"], each["errno"]) for each in told] == [("OSError", "EFBIG")] * 2 * CAPACITY
    assert post(client, audio=wav()).status_code == 200


def test_speech_that_finds_no_room_is_the_failure_of_its_stage(client, openai):
    """Neither in memory nor on disk: the caller has the texts all the same."""
    openai.post(TTS, content=b"ID3" + bytes(2**20))
    client.application.extensions["parley"].slots.budget.size = RECORDING_BYTES
    with full_disk(0):
        answer = post(client, audio=wav())
    assert (answer.status_code, answer.json["text_response"]) == (206, "It is noon.")
    assert answer.json["errors"][0].items() >= {"stage": "tts", "code": "internal_error"}.items()


def test_what_was_said_before_is_counted(client, openai):
    """A history is held until the answer is written."""
    held, budget = [], client.application.extensions["parley"].slots.budget
    openai.post(STT, json=lambda *_: held.append(budget.held) or {"text": "Go on."})
    history = json.dumps([{"role": "user", "content": "a" * 150_000}])
    assert post(client, audio=wav(), history=history).status_code == 200
    assert held[0] > 150_000
    assert budget.held == 0


@pytest.mark.parametrize("fails", ["application", "answer", "close", None])
def test_every_end_of_a_request_releases_its_slot_once(client, monkeypatch, fails):
    """Also one that fails after its answer has begun, or while it is closed."""
    app = client.application
    slots = app.extensions["parley"].slots

    class Answer:
        def __iter__(self):
            yield b"first"
            if fails == "answer":
                raise OSError("no more")
            yield b"last"

        def close(self):
            if fails == "close":
                raise OSError("no more")

    def answered(self, environ, start_response):
        assert environ[SLOT].take()
        if fails == "application":
            raise OSError("no more")
        return Answer()

    monkeypatch.setattr(Flask, "wsgi_app", answered)
    for _ in range(3):
        raised = pytest.raises(OSError, match="no more") if fails else nullcontext()
        with raised, closing(app.wsgi_app({}, None)) as body:
            list(body)
        assert slots.free == CAPACITY


def test_a_slot_is_taken_and_released_once():
    """However often a section asks for it."""
    slots = Slots(2)
    slot, other = Slot(slots), Slot(slots)
    assert slot.take()
    assert slot.take()
    assert other.take()
    assert not Slot(slots).take()
    slot.close()
    slot.close()
    assert Slot(slots).take()
    assert not Slot(slots).take()


def test_no_slot_is_free_while_memory_is_exhausted():
    """Who holds one keeps it, and what it held in memory is free with it."""
    slots = Slots(3, Budget(1))
    first, second = Slot(slots), Slot(slots)
    assert first.take()
    first.usage.add(1_000_000)
    assert first.take()
    assert not second.take()
    first.close()
    assert second.take()


def test_no_greenlet_waits_to_release_a_slot():
    """Else all that have answered wait in a row, with their slots, while others are refused."""
    slot, ran = Slot(Slots(1)), []
    gevent.spawn(ran.append, "another greenlet")
    assert slot.take()
    slot.close()
    assert not ran


@contextmanager
def caller_of(connections):
    """A connection to a caller who neither sends nor reads."""
    ours, theirs = socket.socketpair()
    with theirs, connections.opened(ours.detach()) as caller, closing(caller):
        yield caller


def waits_in(ended, call, *arguments):
    """A thread that waits in a call to a caller; how that ends is noted."""

    def wait():
        try:
            ended.append(call(*arguments))
        except OSError as error:
            ended.append(type(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    return waiting


def test_who_sends_nothing_makes_room():
    """Their connection ends as others do; gevent's own error gunicorn would log with its frames."""
    connections, ended = CallerConnections(10, 95), []
    with caller_of(connections) as caller:
        waiting = waits_in(ended, caller.recv, 1)
        assert connections.disconnect_longest_waiting()
        waiting.join(10)
    assert ended == [b""]


def test_only_who_does_not_read_their_answer_makes_room():
    """A stream that is silent while the upstream works is owed an answer, however many come."""
    connections, ended = CallerConnections(10, 95), []
    with ExitStack() as opened:
        reader, stalled = callers = [opened.enter_context(caller_of(connections)) for _ in "12"]
        for connection in callers:
            connection.start_request(None)
            connection.start_answer()
        reader.send(b"x")
        assert not connections.disconnect_longest_waiting()
        waiting = waits_in(ended, stalled.sendall, bytes(10_000_000))
        assert connections.disconnect_longest_waiting()
        waiting.join(10)
        assert ended == [TimeoutError]
        assert not connections.disconnect_longest_waiting()


def test_descriptors_that_run_out_dismiss_a_caller(monkeypatch):
    """Instead of an error, after which gevent would accept nobody for a while; else it is one."""

    def accept(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(StreamServer, "do_read", accept)
    connections = CallerConnections(10, 95)
    ours, theirs = socket.socketpair()
    with theirs, socket.create_server(("127.0.0.1", 0)) as opened:
        worker = Mock(connections=connections, cfg=Mock(workers=1))
        listener = Listener(worker, opened, spawn=Pool())
        with pytest.raises(OSError, match="Too many open files"):
            listener.do_read()
        with connections.opened(ours.detach()) as caller, closing(caller):
            assert listener.do_read() is None
            assert theirs.recv(1) == b""


def test_no_line_is_lost_where_no_thread_can_be_had(tmp_path, monkeypatch):
    """It is written at once; later lines find a thread again."""
    written = tmp_path / "log"
    with written.open("w") as log:
        writer = LogWriter()
        stream = LogStream(log, writer)
        with monkeypatch.context() as full:
            full.setitem(saved["_thread"], "start_new_thread", Mock(side_effect=RuntimeError))
            stream.write("first\n")
        assert written.read_text() == "first\n"
        stream.write("second\n")
        writer.drain()
        assert written.read_text() == "first\nsecond\n"


def test_what_is_lost_on_a_full_disk_is_told_once_it_has_room(tmp_path):
    """The thread goes on, and a line that is too long is cut."""
    log = tmp_path / "log"
    with open("/dev/full", "w") as disk, log.open("w") as room:  # noqa: PTH123  # A device.
        writer = LogWriter()
        stream = LogStream(disk, writer)
        for _ in range(3):
            print("lost", file=stream)  # Two writes: the text, and the end of the line.
        writer.drain()
        os.dup2(room.fileno(), disk.fileno())
        stream.write("é" * LINE_BYTES + "\n")
        stream.write("\udc80 last\n")
        writer.drain()
    long, told, last = log.read_text().splitlines()
    assert told == "at=WARNING event=log_lines_lost count=6"
    assert last == "\\udc80 last"
    assert LINE_BYTES - 3 < len(f"{long}\n".encode()) <= LINE_BYTES
    assert long.endswith("é…")
