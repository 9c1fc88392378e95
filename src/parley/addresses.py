"""Which IP addresses are public, and which host names can be a public host's."""

import re
from ipaddress import IPv6Address, ip_address, ip_network

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
"""What some Python's `is_global` takes for public: requests-hardened's table, and two more."""
NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
"""An IPv4 address in any spelling: its last part is a number, as no name's is (WHATWG's URLs)."""


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet; raise ValueError if it is none."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in NOT_PUBLIC)
    return ip.is_global and not special


def may_be_public(host: str) -> bool:
    """Whether a host is a public IP address, or can be a public host's name; looks up none."""
    try:
        return is_public(host)
    except ValueError:
        is_local = "." not in host or f".{host}".endswith(LOCAL_SUFFIXES)
        return not is_local and not NUMBER.fullmatch(host)
