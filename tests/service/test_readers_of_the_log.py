"""The log never waits: whatever becomes of its reader, callers are answered, and a stop ends."""

import fcntl
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from testing.raw_callers import HEALTH, one_answer, workers_of
from testing.served_conversations import converse

from parley.web.serving.log_stream import MOST_LINES

PIPE_BYTES = 4096
"""The smallest pipe that Linux makes: about a dozen conversations fill it."""

CONVERSATIONS = 20
SECONDS = 10
"""In which each is answered, however busy the machine; who waits for a reader waits for good."""


@pytest.fixture
def serve_into(serve):
    """Serves, with the output redirected as a shell does; gunicorn has a line for each request."""

    def begin(there, *under):
        redirected = ("sh", "-c", f'exec "$@" >{there}', "sh")
        return serve("--access-logfile=-", under=(*redirected, *under))

    return begin


def every_caller_is_answered(service):
    """Converse, ten at a time, each within SECONDS."""
    with ThreadPoolExecutor(10) as callers:
        answers = callers.map(lambda _: converse(service, SECONDS), range(CONVERSATIONS))
        assert {answer.status_code for answer in answers} == {200}


def stops(service):
    """Stop the service; what cannot be written keeps each process for 2 s at most."""
    begun = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(20) == 0
    assert time.monotonic() - begun < 12


@pytest.fixture
def pipe(tmp_path):
    """A pipe's path and the end to read from, which holds PIPE_BYTES."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    yield path, reader
    os.close(reader)


SMALL_DYNO = ("prlimit", "--nproc=256", "setpriv", "--reuid=65534", "--inh-caps=-all")


def test_a_reader_that_pauses_holds_nobody(serve_into, pipe):
    """One thread of each process waits for it; when it reads on, it is told what was lost.

    So it is on a small dyno, too. Only root can become the user whom that limits.
    """
    limits = () if os.geteuid() else SMALL_DYNO
    path, reader = pipe
    service = serve_into(f"{path} 2>&1", *limits)
    every_caller_is_answered(service)
    with socket.create_connection(service.address, 10) as caller:
        caller.sendall(HEALTH * MOST_LINES)
        answers = 0
        while answers < MOST_LINES:
            answers += one_answer(caller).startswith(b"HTTP/1.1 200 ")
    every_caller_is_answered(service)
    [worker] = workers_of(service)
    assert len(list(Path(f"/proc/{worker}/task").iterdir())) == 2
    read, deadline = b"", time.monotonic() + 10
    while b"event=log_lines_lost" not in read and time.monotonic() < deadline:
        with suppress(BlockingIOError):
            read += os.read(reader, PIPE_BYTES)
    assert re.search(rb"\nat=WARNING event=log_lines_lost count=[1-9]", read)
    every_caller_is_answered(service)
    stops(service)


@pytest.mark.parametrize("path", ["a pipe that was closed", "/dev/full 2>&1", "&-"])
def test_a_log_that_takes_no_line_holds_nobody(serve_into, pipe, path):
    """A reader that has gone, a full disk, a descriptor that was closed before the start."""
    fifo, reader = pipe
    service = serve_into(path.replace("a pipe that was closed", f"{fifo} 2>&1"))
    with open(os.devnull) as nothing:  # noqa: PTH123  # A device.
        os.dup2(nothing.fileno(), reader)
    every_caller_is_answered(service)
    stops(service)


def test_what_waits_is_written_at_a_stop(serve_into, pipe):
    """Each conversation's line, by a reader that starts to read when the service is stopped."""
    path, reader = pipe
    service = serve_into(f"{path} 2>&1")
    every_caller_is_answered(service)
    service.process.send_signal(signal.SIGTERM)
    read = b""
    while service.process.poll() is None:
        with suppress(BlockingIOError):
            read += os.read(reader, PIPE_BYTES)
    assert read.count(b" status=200 ") == CONVERSATIONS
    assert b"Shutting down: Master" in read
