"""What a base URL is, which of them callers may name, and which IP addresses are public."""

import re
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from parley.errors import BaseUrlRefused

DEFAULT_PORTS = {"http": 80, "https": 443}
NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]*)*")
LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
"""Names that no public host has (RFC 6761, RFC 6762, RFC 8375, and ICANN's `.internal`)."""
NOT_PUBLIC = (
    ip_network("100.64.0.0/10"),  # shared by a provider's customers (RFC 6598)
    ip_network("168.63.129.16/32"),  # the host's side of every machine at Azure
    ip_network("192.0.0.0/24"),  # protocol assignments (RFC 6890)
    ip_network("192.88.99.0/24"),  # 6to4 relays (RFC 7526)
    ip_network("64:ff9b::/96"),  # stands for IPv4 addresses (NAT64, RFC 6052)
    ip_network("64:ff9b:1::/48"),  # the same, within a network (RFC 8215)
    ip_network("2001:20::/28"),  # identifiers, not addresses (ORCHIDv2, RFC 7343)
    ip_network("2002::/16"),  # stands for IPv4 addresses (6to4, RFC 3056)
    ip_network("3fff::/20"),  # documentation (RFC 9637)
    ip_network("5f00::/16"),  # segment routing (RFC 9602)
    ip_network("fec0::/10"),  # site-local (RFC 3879)
)
"""What some Python's `is_global` takes for public: requests-hardened's table, and two more."""
NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
"""An IPv4 address in any spelling: its last part is a number, as no name's is (WHATWG's URLs)."""


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet; raise ValueError if it is none."""
    ip = ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in NOT_PUBLIC)
    return ip.is_global and not special


def may_be_public(host: str) -> bool:
    """Whether a host is a public IP address, or can be a public host's name; looks up none."""
    try:
        return is_public(host)
    except ValueError:
        is_local = "." not in host or f".{host}".endswith(LOCAL_SUFFIXES)
        return not is_local and not NUMBER.fullmatch(host)


@dataclass(frozen=True)
class BaseUrl:
    """The address of an OpenAI-compatible API: the part before `/audio/transcriptions`."""

    scheme: str
    host: str
    port: int
    path: str  # Empty, or beginning with a slash and not ending with one.
    public_only: bool = False  # Whether it may lead to public addresses only: a caller named it.
    header: str = field(default="X-OpenAI-Base-URL", compare=False)  # Where a caller named it.

    @classmethod
    def parse(cls, text: str) -> "BaseUrl":
        """Read `text` as a base URL; raise ValueError with the reason if it is not one.

        Only what every URL parser reads alike is accepted: no user name, escapes or segments of
        dots, and ASCII alone (an international name is written as `xn--…`).
        """
        scheme, _, rest = text.partition("://")
        scheme = scheme.lower()
        if scheme not in DEFAULT_PORTS:
            raise ValueError("begins with neither https:// nor http://")
        # A header that was sent twice arrives as one, with a comma before the other URL.
        if not text.isascii() or not text.isprintable() or re.search(r"[@?#%\\ ]|://", rest):
            raise ValueError("contains more than a host, a port and a path in plain ASCII")
        try:
            parts = urlsplit(f"{scheme}://{rest}")
            host, port, path = parts.hostname or "", parts.port, parts.path.rstrip("/")
            is_readable = IPv6Address(host) if "[" in parts.netloc else NAME.fullmatch(host)
        except ValueError:
            is_readable = None
        if not is_readable or port == 0 or not PATH.fullmatch(path):
            raise ValueError("has no readable host, port or path")
        return cls(scheme, host.removesuffix("."), port or DEFAULT_PORTS[scheme], path)

    def __str__(self) -> str:
        authority = self.authority.removesuffix(f":{DEFAULT_PORTS[self.scheme]}")
        return f"{self.scheme}://{authority}{self.path}"

    @property
    def authority(self) -> str:
        """The host and the port, as `host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI itself, or a regional host of its own (`eu.api.openai.com`)."""
        return f".{self.host}".endswith(".api.openai.com")

    def refusal(self) -> BaseUrlRefused:
        """What the caller is told if this URL may not be called."""
        advice = "name a public https host, or ask the service's operator to allow it"
        return BaseUrlRefused(f"The service may not call the base URL in {self.header}; {advice}.")

    def covers(self, other: "BaseUrl") -> bool:
        """Whether `other` is this URL or lies below it: the path counts by whole segments."""
        is_same_host = (self.scheme, self.authority) == (other.scheme, other.authority)
        return is_same_host and f"{other.path}/".startswith(f"{self.path}/")


@dataclass(frozen=True)
class EgressPolicy:
    """Which base URLs callers may name: public https hosts, and what `allowed` covers."""

    allowed: tuple[BaseUrl, ...] = ()
    everything: bool = False  # Whether every limit is lifted, for development.

    def admitted(self, text: str, header: str = BaseUrl.header) -> BaseUrl:
        """A caller's base URL, by its spelling alone; raise BaseUrlRefused for one not allowed."""
        try:
            url = replace(BaseUrl.parse(text), header=header)
        except ValueError as error:
            told = f"The base URL in {header} {error}; send one like https://api.openai.com/v1."
            raise BaseUrlRefused(told) from None
        if self.everything or any(base.covers(url) for base in self.allowed):
            return url
        if url.scheme != "https" or not may_be_public(url.host):
            raise url.refusal()
        return replace(url, public_only=True)
