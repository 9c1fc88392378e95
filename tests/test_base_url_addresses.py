"""A base URL's name is looked up as it is connected to, and may lead to public addresses only."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES
from testing.transport_calls import addresses, post

from parley.addresses import NOT_PUBLIC, is_public
from parley.base_urls import BaseUrl, EgressPolicy
from parley.errors import BaseUrlRefused
from parley.wire.transport import Transport

STRICT = EgressPolicy()
PUBLIC = "93.184.216.34"


INSIDE = "127.0.0.1 10.1.2.3 169.254.169.254 100.64.0.1 224.0.0.1 ::1 ::ffff:10.0.0.1"
INSIDE += (
    f" 64:ff9b::7f00:1 fe80::1%2 {PUBLIC}+127.0.0.1 2606:2800:220:1:248:1893:25c8:1946+fd00::1"
)


@pytest.mark.parametrize("found", [each.split("+") for each in INSIDE.split()], ids="+".join)
def test_a_name_that_leads_inside_is_refused_before_the_upload(found):
    """One bad address among good ones is enough."""
    transport = Transport(1, addresses(*found))
    with pytest.raises(BaseUrlRefused):
        transport.require_allowed(STRICT.admitted("https://rebind.example/v1"))


def test_public_addresses_are_admitted():
    """Ordinary hosts stay reachable."""
    assert all(
        map(is_public, [PUBLIC, "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
    )


def test_the_table_of_networks_is_the_librarys_and_ours():
    """requests-hardened keeps such a table too; a network that it adds is missed here."""
    own = {ip_network("168.63.129.16/32"), ip_network("fec0::/10")}
    assert set(NOT_PUBLIC) == {*EXTRA_BLOCKED_NET_RANGES, *own}


def test_a_connection_made_for_the_operator_serves_no_caller(upstream):
    """A pooled connection to a private host is not reused for a caller who names that host."""
    url = BaseUrl("http", "inside.example", BaseUrl.parse(upstream.url).port, "")
    transport = Transport(1, addresses("127.0.0.1"))
    for _ in range(2):
        assert post(transport, url).body
    assert [request.connection for request in upstream.requests] == [1, 1]
    with pytest.raises(BaseUrlRefused):
        post(transport, replace(url, public_only=True))
    assert len(upstream.requests) == 2


def test_behind_a_proxy_names_are_the_proxys_to_check(monkeypatch):
    """Only the proxy knows what it will connect to; addresses are still checked here."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    transport = Transport(1, addresses("10.0.0.1"))
    transport.require_allowed(STRICT.admitted("https://name.example/v1"))
    with pytest.raises(BaseUrlRefused):
        transport.require_allowed(STRICT.admitted("https://10.0.0.1/v1"))
