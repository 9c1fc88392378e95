"""A proxy for CONNECT, for as many connections as come, in plain or in TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from testing import fake_openai


@contextmanager
def tunnels(tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """The proxy's host and port, and each request that it was sent."""
    asked: list[bytes] = []

    def tunnel(caller: socket.socket) -> bool:
        if tls:
            caller = tls.wrap_socket(caller, server_side=True)
        asked.append(head := caller.recv(65_536))
        host, port = head.split()[1].decode().split(":")
        called = socket.create_connection((host, int(port)))
        caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=_pump, args=(called, caller), daemon=True).start()
        _pump(caller, called)
        return False

    with fake_openai.running() as proxy:
        proxy.greet = tunnel
        yield proxy.url.removeprefix("http://").removesuffix("/v1"), asked


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with source, suppress(OSError, ValueError):  # Each pump closes what the other reads.
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
