"""The WebSocket of the Realtime API is connected and opened as safely as any call."""

from dataclasses import replace

import pytest
from testing import fake_realtime as realtime
from testing.fake_openai import http
from testing.transport_calls import addresses
from testing.tunnels import tunnels
from testing.upstream_faults import FAULTS, LATE, OVERRUN, SLOW
from websockets.utils import accept_key

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.errors import BaseUrlRefused
from parley.redaction import Secrets
from parley.wire.transport import Transport
from parley.wire.upstreams import Upstream

TTS = {"tts_model": "gpt-realtime-2.1-mini"}


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize("fault", [*SLOW, *FAULTS[1:]], ids=lambda fault: fault.name)
def test_a_handshake_that_goes_wrong_ends_as_any_call_does(upstream, converse, fault):
    """The WebSocket is asked for over the same connections, so it fails in the same ways."""
    upstream.answers["tts"] = fault.behave
    converse(fault.code, "tts", fault.seconds, **TTS)
    assert [request.stage for request in upstream.requests].count("tts") == fault.tries


@pytest.mark.parametrize("status", ["200 OK", "101 Switching Protocols"])
def test_a_handshake_without_its_proof_is_malformed(upstream, converse, status):
    """Only an answer to this very key opens a WebSocket (RFC 6455, section 4.1)."""
    answer = http(b"", status, Upgrade="websocket", Sec_WebSocket_Accept="c3R1ZmY=")
    upstream.answers["tts"] = lambda connection, request: connection.sendall(answer)
    converse("upstream_malformed", "tts", OVERRUN, **TTS)


def test_a_websocket_that_is_opened_and_closed_at_once_is_unavailable(upstream, converse):
    """An answer that upgrades and closes in one is a connection cut off."""

    def answer(connection, request):
        proof = accept_key(request.headers["sec-websocket-key"])
        connection.sendall(
            b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n"
            b"Sec-WebSocket-Accept: " + proof.encode() + b"\r\n\r\n"
        )

    upstream.answers["tts"] = answer
    converse("upstream_unavailable", "tts", OVERRUN, **TTS)


@pytest.fixture
def asked_of_proxy(monkeypatch):
    """What a proxy was asked to connect to; the environment names it before the service starts."""
    with tunnels() as (address, asked):
        monkeypatch.setenv("https_proxy", f"http://{address}")
        yield asked


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
def test_the_handshake_carries_the_key_and_the_model_through_the_proxy(
    asked_of_proxy, upstream, converse
):
    """https://host/v1 becomes wss://host/v1/realtime, over connections of the proxy's alone."""
    upstream.answers["tts"] = realtime.speaks
    converse(None, "tts", LATE, **TTS)
    assert len(asked_of_proxy) == upstream.connections > 0
    request = upstream.requests[-1]
    assert request.path == "/v1/realtime?model=gpt-realtime-2.1-mini"
    assert request.headers["authorization"].startswith("Bearer ")
    assert "cookie" not in request.headers


def test_no_websocket_leads_to_an_address_that_is_not_public():
    transport = Transport(1, addresses("169.254.169.254"))
    somewhere = replace(BaseUrl.parse("https://api.example.com/v1"), public_only=True)
    caller, deadline = Upstream(somewhere, "", Secrets()), Deadline.after(1)
    opening = transport.open_channel(caller, "/realtime", limit=1000, deadline=deadline)
    with pytest.raises(BaseUrlRefused), opening:
        pass
