"""A proxy for CONNECT, for as many connections as come, in plain or in TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def tunnels(tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """The proxy's host and port, and each request that it was sent."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        threading.Thread(target=_accept, args=(proxy, tls, asked), daemon=True).start()
        yield f"127.0.0.1:{proxy.getsockname()[1]}", asked
        proxy.shutdown(socket.SHUT_RDWR)


def _accept(proxy: socket.socket, tls: ssl.SSLContext | None, asked: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            caller, _ = proxy.accept()
            threading.Thread(target=_tunnel, args=(caller, tls, asked), daemon=True).start()


def _tunnel(caller: socket.socket, tls: ssl.SSLContext | None, asked: list[bytes]) -> None:
    with suppress(OSError):
        if tls:
            caller = tls.wrap_socket(caller, server_side=True)
        head = caller.recv(65_536)
        asked.append(head)
        host, port = head.split()[1].decode().split(":")
        called = socket.create_connection((host, int(port)))
        caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for pair in ((caller, called), (called, caller)):
            threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with source, suppress(OSError, ValueError):  # Each pump closes what the other reads.
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
