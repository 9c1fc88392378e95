"""Which IP addresses are public, and which host names can be a public host's."""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from parley.errors import BaseUrlRefused

LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
"""Names that no public host has (RFC 6761, RFC 6762, RFC 8375, and ICANN's `.internal`)."""

NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # shared by a provider's customers (RFC 6598)
        "168.63.129.16/32",  # the host's side of every machine at Azure
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "64:ff9b::/96",  # stands for IPv4 addresses (NAT64, RFC 6052)
        "64:ff9b:1::/48",  # the same, within a network (RFC 8215)
        "2001:20::/28",  # identifiers, not addresses (ORCHIDv2, RFC 7343)
        "2002::/16",  # stands for IPv4 addresses (6to4, RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fec0::/10",  # site-local (RFC 3879)
    )
)
"""Networks that the `is_global` of some Python version takes for public: the table of
requests-hardened, with Azure's address and the site-local ones."""


def require_public(addresses: Iterable[str]) -> None:
    """Raise BaseUrlRefused if any of the IP addresses is not public."""
    if not all(_is_public(ip_address(address)) for address in addresses):
        raise BaseUrlRefused()


def require_public_spelling(host: str) -> None:
    """Raise BaseUrlRefused if a host cannot be public, by its spelling alone.

    A public host is a public IP address or a name with a dot. No name is looked up.
    """
    try:
        address = ip_address(host)
    except ValueError:
        if _is_number(host) or "." not in host or f".{host}".endswith(LOCAL_SUFFIXES):
            raise BaseUrlRefused() from None
    else:
        if not _is_public(address):
            raise BaseUrlRefused()


def _is_number(host: str) -> bool:
    """Whether a host is an IPv4 address in decimal, octal or hexadecimal, which nobody needs."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is on the public internet.

    Python's `is_global` follows IANA's registries but accepts multicast addresses, and addresses
    that stand for IPv4 ones.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in NOT_PUBLIC)
    )
