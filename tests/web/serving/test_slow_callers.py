"""Callers may read slowly, send on and wait; those who stall are dropped."""

import time

import pytest
from testing import fake_openai as fake
from testing.raw_callers import HEALTH, PATIENCE, connect, one_answer, until_closed
from testing.short_limits import IDLE, REQUEST, SILENCE, WHOLE
from testing.upstream_faults import says


def test_a_slow_reader_gets_everything(service, upstream):
    """However long it takes: a caller who goes on reading is not cut off."""
    upstream.answers["tts"] = says(fake.http(b"ID3".ljust(16_000_000, b"\0")))
    answer, begun = b"", time.monotonic()
    with connect(service) as caller:
        caller.sendall(WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        while time.monotonic() - begun < 2 * SILENCE:
            time.sleep(SILENCE / 8)
            answer += caller.recv(64_000)
        answer += until_closed(caller)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert len(body) > 21_000_000


@pytest.mark.parametrize("sent", [b"\r\n", HEALTH])
def test_a_caller_who_sends_on_is_there(service, upstream, sent):
    """After the time that a request may take, too: a stray line or the next request is no FIN."""

    def answer_late(connection, request):
        time.sleep(REQUEST + 0.5)
        connection.sendall(fake.good(request))
        return True

    upstream.answers["stt"] = answer_late
    with connect(service) as caller:
        caller.sendall(WHOLE)
        time.sleep(0.2)
        caller.sendall(sent)
        assert b"HTTP/1.1 200" in caller.recv(65_536)


def test_an_idle_connection_is_kept(service):
    """Silence is limited within a request; before one a connection may wait."""
    with connect(service) as caller:
        for wait in (2 * SILENCE, 1.5 * REQUEST):
            time.sleep(wait)
            caller.sendall(HEALTH)
            assert one_answer(caller).startswith(b"HTTP/1.1 200")


def test_an_idle_connection_is_closed_in_the_end(service):
    """After its own time, which is longer than a balancer's."""
    begun = time.monotonic()
    with connect(service) as caller:
        assert until_closed(caller) == b""
        assert IDLE <= time.monotonic() - begun < IDLE + PATIENCE


def test_a_request_has_its_whole_time_after_a_long_wait(service):
    """What was waited for before its first byte does not count."""
    with connect(service) as caller:
        time.sleep(2 * REQUEST)
        for part in (b"GET /healthz ", b"HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"):
            caller.sendall(part)
            time.sleep(SILENCE / 8)
        assert caller.recv(65_536).startswith(b"HTTP/1.1 200")
