"""Where the service may connect: what a base URL is, and which addresses callers may reach."""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

from parley.errors import BaseUrlRefused

ANYTHING = "*"
DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
"""Names that no public host has (RFC 6761, RFC 6762, RFC 8375, and ICANN's `.internal`)."""

OPENAI = ".api.openai.com"

ALSO_BLOCKED = (ip_network("fec0::/10"), ip_network("168.63.129.16/32"))
"""Site-local IPv6 (RFC 3879), and the host's side of every machine at Azure."""

NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]*)*")


@dataclass(frozen=True)
class BaseUrl:
    """An OpenAI-compatible API's address: what stands before `/audio/transcriptions`.

    `path` is empty, or begins with a slash and does not end with one.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> "BaseUrl":
        """Read `text` as a base URL; raise ValueError with the reason where it is none.

        Only what every URL parser reads alike is taken: no user name, no escapes, no dots as
        segments, no characters beyond ASCII (write an international name as `xn--…`).
        """
        scheme, _, rest = text.partition("://")
        scheme = scheme.lower()
        if scheme not in DEFAULT_PORTS:
            raise ValueError("is neither https:// nor http://")
        if not text.isascii() or not text.isprintable() or re.search(r"[@?#%\\ ]", rest):
            raise ValueError("holds more than a host, a port and a path in plain ASCII")
        try:
            parts = urlsplit(f"{scheme}://{rest}")
            host, port = parts.hostname or "", parts.port
            if parts.netloc.startswith("["):
                IPv6Address(host)
        except ValueError:
            raise ValueError("has no readable host and port") from None
        path = parts.path.rstrip("/")
        if not (":" in host or NAME.fullmatch(host)) or port == 0 or not PATH.fullmatch(path):
            raise ValueError("has no readable host, port or path")
        return cls(scheme, host.removesuffix("."), port or DEFAULT_PORTS[scheme], path)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI itself, or one of its regional hosts (`eu.api.openai.com`).

        All of them serve the same models until the same days.
        """
        return f".{self.host}".endswith(OPENAI)

    def covers(self, other: "BaseUrl") -> bool:
        """Whether `other` is this URL or lies below it: the path counts by whole segments."""
        origin = (self.scheme, self.host, self.port)
        return origin == (other.scheme, other.host, other.port) and (
            f"{other.path}/".startswith(f"{self.path}/")
        )


@dataclass(frozen=True)
class Destination:
    """A base URL, and whether it may lead to public addresses only."""

    url: BaseUrl
    public_only: bool = False


@dataclass(frozen=True)
class EgressPolicy:
    """Which base URLs a caller may name; the operator's own is not judged.

    Public https hosts always, and what `allowed` covers; `everything` lifts every limit.
    """

    allowed: tuple[BaseUrl, ...] = ()
    everything: bool = False

    @classmethod
    def parse(cls, words: Iterable[str]) -> "EgressPolicy":
        """Read base URLs, or `*`; raise ValueError that says what is wrong with which."""
        allowed = []
        for position, word in enumerate(words, 1):
            if word == ANYTHING:
                return cls(everything=True)
            try:
                allowed.append(BaseUrl.parse(word))
            except ValueError as error:
                raise ValueError(f"base URL {position} {error}") from None
        return cls(tuple(allowed))

    def destination_of(self, text: str) -> Destination:
        """Where a caller's base URL leads; raise BaseUrlRefused where its text alone bars it.

        What its host's name resolves to is judged by `require_public`, before each connection.
        """
        try:
            url = BaseUrl.parse(text)
        except ValueError as error:
            raise BaseUrlRefused(
                f"The base URL in X-OpenAI-Base-URL {error}; send one like "
                "https://api.openai.com/v1."
            ) from None
        if self.everything or any(base.covers(url) for base in self.allowed):
            return Destination(url)
        if url.scheme != "https" or not _may_be_public(url.host):
            raise BaseUrlRefused()
        return Destination(url, public_only=True)


def require_public(addresses: Iterable[str]) -> None:
    """Raise BaseUrlRefused where any of the IP addresses is not a public host's."""
    if not all(_is_public(ip_address(address)) for address in addresses):
        raise BaseUrlRefused()


def _may_be_public(host: str) -> bool:
    """Whether a host may be public by its spelling: a name with a dot, or a public address."""
    try:
        return _is_public(ip_address(host))
    except ValueError:
        pass
    try:
        socket.inet_aton(host)
    except OSError:
        return "." in host and not f".{host}".endswith(LOCAL_SUFFIXES)
    return False  # An address in decimal, octal or hexadecimal, which nobody needs.


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet's.

    Python's `is_global` follows IANA's registries but says yes to multicast and to addresses that
    stand for IPv4 ones; requests-hardened keeps the table of those.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in (*EXTRA_BLOCKED_NET_RANGES, *ALSO_BLOCKED))
    )
