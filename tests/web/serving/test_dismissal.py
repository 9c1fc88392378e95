"""A connection that is closed to make room ends quietly."""

import errno
import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from unittest.mock import Mock

import pytest
from gevent.pool import Pool
from gevent.server import StreamServer

from parley.web.serving.connection_limits import CallerConnections
from parley.web.serving.worker import Listener


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
