"""The service as wsgi.py puts it together, where names lead inside: for a test of the guard."""

import dataclasses
import socket

from blueprints import BLUEPRINTS
from parley.web.app import create_app
from parley.wire.transport import Transport
from wsgi import services

asked: list[str] = []


def look_up(host: str, port: int, **_: object) -> list[tuple]:
    """`inside.example` is this machine; `rebinding.example` is so from the second time on."""
    asked.append(host)
    public = host == "rebinding.example" and asked.count(host) == 1
    address = "93.184.216.34" if public else "127.0.0.1"
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


transport = Transport(8, look_up)
app = create_app(dataclasses.replace(services, transport=transport), BLUEPRINTS)
