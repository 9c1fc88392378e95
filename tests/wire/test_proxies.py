"""Where the environment names a proxy, calls go through it, in plain and in TLS."""

import base64
import socket
import time

import pytest
from testing.builders import KEY
from testing.fake_openai import in_tls
from testing.transport_calls import post
from testing.tunnels import tunnels

from parley.errors import UpstreamTimeout
from parley.wire import connections

SECRET = b"Basic " + base64.b64encode(b"someone:secret")


@pytest.mark.parametrize("upstream", ["http", "https"], indirect=True)
def test_a_call_in_plain_is_forwarded(made, upstream, monkeypatch):
    address = upstream.url.removesuffix("/v1").replace("://", "://someone:secret@")
    monkeypatch.setenv("http_proxy", address)
    transport = made()
    for _ in range(2):
        assert post(transport, "http://api.test/v1").status == 200
    assert upstream.connections == 1
    [request, _] = upstream.requests
    assert request.path == "http://api.test/v1/chat/completions"
    assert request.headers["proxy-authorization"].encode() == SECRET


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_call_in_tls_goes_through_a_tunnel(made, upstream, monkeypatch, authority, scheme):
    """Also in TLS to the proxy: it sees neither the key nor the call, the upstream no password."""
    with tunnels(in_tls(authority) if scheme == "https" else None) as (address, asked):
        monkeypatch.setenv("https_proxy", f"{scheme}://someone:secret@{address}")
        transport = made()
        for _ in range(3):
            assert post(transport, upstream.url, body={"model": "m" * 100_000}).status == 200
    [head] = asked
    assert head.startswith(b"CONNECT ")
    assert SECRET in head
    assert KEY.encode() not in head
    assert upstream.connections == 1
    assert "proxy-authorization" not in upstream.requests[0].headers


@pytest.mark.parametrize("upstream", ["http", "https"], indirect=True)
def test_a_host_may_be_left_out(made, upstream, monkeypatch):
    monkeypatch.setenv(f"{upstream.url.partition(':')[0]}_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert post(made(), upstream.url).status == 200


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
def test_a_proxy_that_says_nothing_is_left_in_time(made, upstream, monkeypatch):
    """Its answer is part of connecting."""
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            post(made(), upstream.url, seconds=20)
    assert time.monotonic() - began < 15
