"""Looks host names up; gevent's resolver does it while other greenlets run."""

import socket
from collections.abc import Callable
from typing import Any

from parley.errors import UpstreamUnavailable

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""An address family and what `socket.connect` takes in it."""

LookUp = Callable[..., list[Any]]
"""What takes and returns what getaddrinfo does."""


def resolve(look_up: LookUp, host: str, port: int) -> list[Address]:
    """The host's addresses; raise UpstreamUnavailable if there are none."""
    try:
        found = look_up(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UpstreamUnavailable(
            "The upstream's host name was not found; check the base URL."
        ) from None
    return [(family, address) for family, _, _, _, address in found]
