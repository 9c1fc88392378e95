"""A caller's base URL leads to public https hosts, and nowhere else, however it is spelled.

Its name is looked up as it is connected to, and may lead to public addresses only.
"""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Request
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES
from testing.transport_calls import addresses, nothing, post

from parley.base_urls import NAME, NOT_PUBLIC, PATH, BaseUrl, EgressPolicy, is_public
from parley.errors import BaseUrlRefused
from parley.settings import Settings
from parley.wire.transport import Transport

STRICT = EgressPolicy()


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("HTTPS://API.OpenAI.com:443/v1", "https://api.openai.com/v1"),
        ("https://host.example:8443", "https://host.example:8443"),
        ("https://host.example./a/b", "https://host.example/a/b"),
        ("https://xn--bcher-kva.example/v1", "https://xn--bcher-kva.example/v1"),
        ("https://93.184.216.34/v1", "https://93.184.216.34/v1"),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/v1",) * 2,
    ],
)
def test_a_public_https_host_is_admitted(text, normal):
    """Any host that the internet can reach, at any port, below any path."""
    assert STRICT.admitted(text) == replace(BaseUrl.parse(normal), public_only=True)
    assert str(BaseUrl.parse(text)) == normal


def test_a_host_is_told_with_its_port():
    """Also where the port is the scheme's own, for the log."""
    for text, authority in {"http://[::1]/v1": "[::1]:80", "https://a.b:9": "a.b:9"}.items():
        assert BaseUrl.parse(text).authority == authority


# Each is one word of these.
REFUSED = """
ftp://api.openai.com/v1 file:///etc/passwd http://api.openai.com/v1 wss://api.openai.com/v1
//api.openai.com/v1 api.openai.com/v1
https://user@api.openai.com/v1 https://user:password@api.openai.com/v1
https://api.openai.com@127.0.0.1/v1 https://api.openai.com\\@127.0.0.1/v1
https://api.openai.com/v1?x=1 https://api.openai.com/v1? https://api.openai.com/v1#x
https://api.openai.com/v1/../.. https://api.openai.com/./v1 https://api.openai.com/%2e%2e/v1
https://api.openai.com:0/v1 https://api.openai.com:99999/v1 https://api.openai.com:x/v1
https://api.openai.com/v1,https://api.openai.com/v1
https://api.openai.com/v1/https://api.openai.com/v1
https:///v1 https://.example/v1 https://a..example/v1 https://[::1/v1 https://[v1.x]/v1
"""
NEIGHBOURS_BY_NAME = """
https://localhost/v1 https://LOCALHOST./v1 https://api.localhost/v1 https://printer.local/v1
https://metadata.google.internal/v1 https://router.home.arpa/v1 https://intranet/v1
"""
# Loopback, private, link-local, shared, multicast, reserved, unspecified; a cloud's own services.
NEIGHBOURS_BY_ADDRESS = """
https://127.0.0.1/v1 https://127.255.255.254/v1 https://0.0.0.0/v1 https://10.0.0.1/v1
https://172.16.0.1/v1 https://192.168.1.1/v1 https://169.254.169.254/latest
https://100.64.0.1/v1 https://100.100.100.200/v1 https://192.0.0.192/v1 https://198.18.0.1/v1
https://224.0.0.1/v1 https://240.0.0.1/v1 https://255.255.255.255/v1 https://192.88.99.1/v1
https://168.63.129.16/v1
"""
# 134744072 is 8.8.8.8: public, but nobody writes it so.
SPELLINGS = """
https://127.0.0.1./v1 https://127.1/v1 https://2130706433/v1 https://0x7f000001/v1
https://0x7f.1/v1 https://0177.0.0.1/v1 https://017700000001/v1 https://127.0.0.0x1/v1
https://134744072/v1 https://１２７.0.0.1/v1 https://127。0。0。1/v1 https://ⓛocalhost/v1
https://api.оpenai.com/v1 https://%31%32%37.0.0.1/v1
"""
# Of IPv6's own, and standing for IPv4.
IPV6 = """
https://[::1]/v1 https://[::]/v1 https://[0:0:0:0:0:0:0:1]/v1 https://[::ffff:127.0.0.1]/v1
https://[::ffff:7f00:1]/v1 https://[::ffff:169.254.169.254]/v1 https://[::127.0.0.1]/v1
https://[64:ff9b::7f00:1]/v1 https://[64:ff9b::169.254.169.254]/v1 https://[64:ff9b:1::1]/v1
https://[2002:7f00:1::]/v1 https://[2001::1]/v1 https://[fe80::1]/v1 https://[fe80::1%25eth0]/v1
https://[fc00::1]/v1 https://[fd00:ec2::254]/v1 https://[ff02::1]/v1 https://[2001:db8::1]/v1
https://[5f00::1]/v1 https://[fec0::1]/v1
"""
WITH_SPACE = ["", "https://api.openai.com /v1", "https://api.openai.com/v1\r\nHost: x"]
WORDS = f"{REFUSED}{NEIGHBOURS_BY_NAME}{NEIGHBOURS_BY_ADDRESS}{SPELLINGS}{IPV6}".split()


@pytest.mark.parametrize("text", WORDS + WITH_SPACE)
@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_anything_else_is_refused_by_its_text(text, proxy, monkeypatch):
    """No name is looked up, nothing is connected to, and behind a proxy it is the same."""
    if proxy:
        monkeypatch.setenv("https_proxy", proxy)
    transport = Transport(1, nothing)
    with pytest.raises(BaseUrlRefused):
        transport.require_allowed_addresses(STRICT.admitted(text))
    with pytest.raises(BaseUrlRefused):
        post(transport, STRICT.admitted(text))


@pytest.mark.parametrize(
    ("allowed", "text", "admitted"),
    [
        ("http://10.0.0.1:8080/v1", "http://10.0.0.1:8080/v1", True),
        ("http://10.0.0.1:8080/v1", "http://10.0.0.1:8080/v1/", True),
        ("http://10.0.0.1:8080/v1", "http://10.0.0.1:8080/v1/tenant", True),
        ("http://10.0.0.1:8080/v1", "http://10.0.0.1:8080/v10", False),
        ("http://10.0.0.1:8080/v1", "http://10.0.0.1:8080/", False),
        ("http://10.0.0.1:8080/v1", "http://10.0.0.1/v1", False),
        ("http://10.0.0.1:8080/v1", "https://10.0.0.1:8080/v1", False),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080/anything", True),
        ("http://a.local http://b.local", "http://b.local/v1", True),
        ("http://inside.local", "http://inside.local.example/v1", False),
        ("https://llm.internal", "https://LLM.internal.:443/v1", True),
        ("*", "http://127.0.0.1:1/v1", True),
        ("*", "http://user@127.0.0.1:1/v1", False),
        ("*", "not a url", False),
    ],
)
def test_the_operator_can_allow_more(allowed, text, admitted):
    """Scheme, host and port count exactly, the path by whole segments; * lifts every limit."""
    policy = Settings.from_env({"PARLEY_ALLOWED_BASE_URLS": allowed}).allowed_base_urls
    if admitted:
        assert policy.admitted(text) == BaseUrl.parse(text)
    else:
        with pytest.raises(BaseUrlRefused):
            Transport(1, nothing).require_allowed_addresses(policy.admitted(text))


@given(st.text() | st.from_regex(r"https?://[^/]*(/.*)?"))
def test_no_text_gets_past_the_policy_but_as_a_plain_public_url(text):
    """Whatever is sent is refused, or is a host and a path that every parser reads alike."""
    try:
        url = STRICT.admitted(text)
    except BaseUrlRefused:
        return
    assert url.public_only
    assert url.scheme == "https"
    assert replace(BaseUrl.parse(str(url)), public_only=True) == url
    assert str(url).isascii()
    assert not set(url.host + url.path) & set("@?#\\% \r\n\t")


HOSTS = st.from_regex(NAME, fullmatch=True) | st.ip_addresses(v=6).map(lambda ip: f"[{ip}]")
PATHS = st.from_regex(PATH, fullmatch=True).filter(
    lambda path: "@" not in path and "://" not in path
)


@given(st.sampled_from(["http", "https"]), HOSTS, PATHS)
def test_requests_would_change_nothing_about_a_base_url(scheme, host, path):
    """The transport sends what it is given, without requests' own preparation of URLs."""
    address = f"{BaseUrl.parse(f'{scheme}://{host}{path}')}/realtime?model=a%2Fb"
    assert Request("GET", address).prepare().url == address


PUBLIC_IPV6 = "2606:2800:220:1:248:1893:25c8:1946"
INSIDE = "127.0.0.1 10.1.2.3 169.254.169.254 100.64.0.1 224.0.0.1 ::1 ::ffff:10.0.0.1"
INSIDE += f" 64:ff9b::7f00:1 fe80::1%2 93.184.216.34+127.0.0.1 {PUBLIC_IPV6}+fd00::1"


@pytest.mark.parametrize("found", [each.split("+") for each in INSIDE.split()], ids="+".join)
def test_a_name_that_leads_inside_is_refused_before_the_upload(found):
    """One bad address among good ones is enough."""
    transport = Transport(1, addresses(*found))
    with pytest.raises(BaseUrlRefused):
        transport.require_allowed_addresses(STRICT.admitted("https://rebind.example/v1"))


def test_the_table_of_networks_is_the_librarys_and_ours():
    """requests-hardened keeps such a table too; a network that it adds is missed here."""
    assert all(map(is_public, ["8.8.8.8", PUBLIC_IPV6, "::ffff:8.8.8.8"]))
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
    transport.require_allowed_addresses(STRICT.admitted("https://name.example/v1"))
    with pytest.raises(BaseUrlRefused):
        transport.require_allowed_addresses(STRICT.admitted("https://10.0.0.1/v1"))
