"""The pooled client on real sockets: what is reused, and what is never carried over."""

import errno
import inspect
import io
import socket
import time
import tracemalloc
from tempfile import SpooledTemporaryFile

import gevent
import pytest
import requests
import urllib3
from testing import fake_openai as fake
from testing.builders import KEY
from testing.flooding_peers import FLOOD, TICKETS, flooding
from testing.transport_calls import post
from testing.upstream_faults import says

from parley.errors import DeadlineExceeded, UpstreamError, UpstreamTimeout
from parley.recordings import KINDS, Recording
from parley.wire.adapter import Adapter
from parley.wire.sockets import YieldingSocket
from parley.wire.transport import BLOCK_BYTES, Form, Transport


def test_a_form_is_sent_with_its_file_and_its_length(transport, upstream):
    """The file goes out as a stream of a known length, as every upstream accepts."""
    with SpooledTemporaryFile(max_size=500_000) as stream:
        stream.write(b"x" * 300_000)
        stream.seek(0)
        recording = Recording(stream, 300_000, KINDS[0])
        form = Form([("model", "whisper-1")], "file", recording)
        post(transport, upstream.url, form, path="/audio/transcriptions")
        assert not stream._rolled  # What is short is never written to disk.
    [request] = upstream.requests
    assert request.headers["content-length"] == str(len(request.body))
    assert b'filename="audio.wav"\r\nContent-Type: audio/wav' in request.body
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    assert request.body.startswith(b"--%b\r\n" % boundary)
    assert request.body.endswith(b"\r\n\r\n%b\r\n--%b--\r\n" % (b"x" * 300_000, boundary))


def test_a_recording_is_sent_and_held_in_memory_block_by_block(monkeypatch):
    """A thousand conversations may send theirs at once; others run after each block."""
    turns = []
    monkeypatch.setattr("parley.wire.transport.let_others_run", lambda: turns.append(1))
    recording = Recording(io.BytesIO(b"x" * 300_000), 300_000, KINDS[0])
    tracemalloc.start()
    try:
        form = Form([("model", "whisper-1")], "file", recording)
        held = [(len(block), tracemalloc.get_traced_memory()[0]) for block in form]
    finally:
        tracemalloc.stop()
    assert sum(length for length, _ in held) == len(form)
    assert max(memory for _, memory in held) < 1.5 * BLOCK_BYTES
    assert len(turns) == len(held) - 1 > 0


@pytest.mark.parametrize(
    ("told", "kept"),
    [("req_1", "req_1"), (f"req_{KEY[-4:]}", None), ("req 1", None), ("x" * 129, None)],
)
def test_an_upstreams_id_is_repeated_only_as_an_id(transport, upstream, told, kept):
    upstream.answers["text"] = says(fake.http(b"{}", x_request_id=told))
    assert post(transport, upstream.url).request_id == kept


def test_neither_netrc_nor_a_cookie_is_sent(transport, upstream, tmp_path, monkeypatch):
    """A password in the operator's home does not replace the caller's key; no cookie is kept."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    upstream.answers["text"] = says(fake.http(b"{}", Set_Cookie="session=1; Path=/"))
    for _ in range(2):
        post(transport, upstream.url)
    for request in upstream.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert "cookie" not in request.headers
    assert not any(session.cookies for session in (transport._unchecked, transport._public))


def test_a_silent_upstream_is_left_at_the_deadline(transport, upstream):
    """No call waits for the deadline of the call that had the connection before it."""
    post(transport, upstream.url, seconds=60)
    upstream.answers["text"] = lambda connection, request: time.sleep(2)
    with pytest.raises(DeadlineExceeded):
        post(transport, upstream.url, seconds=0.2)


# Every exception class that they export, their own or the HTTP layer's; no warnings.
FOREIGN = [
    item
    for module in (requests.exceptions, urllib3.exceptions)
    for _, item in inspect.getmembers(module, inspect.isclass)
    if issubclass(item, Exception) and not issubclass(item, Warning)
    if item.__module__.split(".")[0] in ("requests", "urllib3", "http")
]
FOREIGN += [ConnectionError, BrokenPipeError, TimeoutError, OSError]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_no_foreign_exception_escapes(transport, upstream, monkeypatch, foreign):
    def fail(*_, **__):
        raise foreign.__new__(foreign)

    monkeypatch.setattr(Adapter, "send", fail)
    with pytest.raises(UpstreamError) as failure:
        post(transport, upstream.url)
    assert failure.value.__suppress_context__  # The foreign text may quote a key.


def test_a_connection_that_the_kernel_gives_up_is_not_waited_for(transport, upstream, monkeypatch):
    """What it has given up once never becomes ready: the call ends now, not at its deadline."""

    def receive(sock, *arguments):
        if isinstance(sock, YieldingSocket):
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        return real(sock, *arguments)

    real = socket.socket.recv_into
    monkeypatch.setattr(socket.socket, "recv_into", receive)
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        post(transport, upstream.url, seconds=20)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(("scheme", "flood"), [("http", FLOOD), ("https", TICKETS)])
def test_an_upstream_that_floods_does_not_hold_up_others(scheme, flood, tmp_path):
    """While it always has more to read, whoever else has something to do gets to do it.

    A TLS server may send any number of session tickets (RFC 8446, 4.6.1), which are no data.
    """

    def give_up(seconds):
        with pytest.raises(DeadlineExceeded):
            post(transport, f"{scheme}://{address}/v1", limit=10**9, seconds=seconds)

    with flooding(flood, tmp_path) as (address, bundle):
        transport = Transport(8, ca_bundle=bundle)
        began, turns = time.monotonic(), 0
        flooded = gevent.spawn(give_up, 2)
        while not flooded.ready():
            time.sleep(0.01)
            turns += 1
        flooded.get()
    assert 2 <= time.monotonic() - began < 12
    assert turns > 4  # Whoever is held up gets one or two.
