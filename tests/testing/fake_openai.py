"""An upstream on a real socket, which answers as OpenAI does unless a test tells it otherwise."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile

from flask.testing import FlaskClient

TRANSCRIPT = "What is the capital of France?"
REPLY = "It is Paris."
SPEECH = b"ID3" + bytes(range(256)) * 40


STAGES = {"transcriptions": "stt", "completions": "text", "speech": "tts", "realtime": "tts"}


@dataclass
class Request:
    """What arrived: headers by their lower-case names, and which connection brought it."""

    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    connection: int = 0
    sent: bytes = field(default=b"", repr=False)
    """Every byte of it."""

    @property
    def stage(self) -> str:
        name = self.path.partition("?")[0].rpartition("/")[2]
        return STAGES.get(name, "")


Answer = Callable[[socket.socket, Request], bool | None]
"""Writes an answer; returns whether the connection stays open."""


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP/1.1 answer, written out."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def good(request: Request) -> bytes:
    """The answer that OpenAI would give."""
    match request.stage:
        case "stt":
            return http(json.dumps({"text": TRANSCRIPT}).encode(), Content_Type="application/json")
        case "text":
            message = {"role": "assistant", "content": REPLY}
            body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            return http(json.dumps(body).encode(), Content_Type="application/json")
        case "tts":
            return http(SPEECH, Content_Type="audio/mpeg")
    return http(b"", "404 Not Found")


class Upstream:
    """Accepts connections until it is closed, each in a thread of its own."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.requests: list[Request] = []
        self.connections = 0
        self.answers: dict[str, Answer] = {}
        """By stage: what answers instead of `good`."""
        self.client: FlaskClient | None = None
        """The caller of an application that was made for this upstream."""
        self.greet: Callable[[socket.socket], bool] | None = None
        """Called with each new connection before anything is read; False ends it."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        scheme, port = "https" if tls else "http", self._listener.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{port}/v1"
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        for connection in [*self._open]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                served = connection, self.connections
                threading.Thread(target=self._serve, args=served, daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        self._open.add(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.greet and not self.greet(connection):
                return
            if self.tls:
                self._open.discard(connection)
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.add(connection)
            with connection.makefile("rb") as reader:
                while request := _read(reader, number):
                    self.requests.append(request)
                    answer = self.answers.get(request.stage)
                    if answer is None:
                        connection.sendall(good(request))
                    elif not answer(connection, request):
                        return
        except (OSError, ValueError):
            pass  # The peer has gone, as it may.
        finally:
            self._open.discard(connection)
            connection.close()


def _read(reader, number: int) -> Request | None:
    head = b"".join(takewhile(bytes.strip, reader)) + b"\r\n"
    first, *lines = (line.decode("latin-1") for line in head.splitlines())
    if len(first.split()) != 3:
        return None
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = reader.read(int(headers.get("content-length", 0)))
    return Request(first.split()[1], headers, body, number, head + body)


def soon(happens: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it happens within so many seconds, however busy the machine."""
    until = time.monotonic() + seconds
    while not happens() and time.monotonic() < until:
        time.sleep(0.01)
    return happens()


def in_tls(authority, name: str = "127.0.0.1") -> ssl.SSLContext:
    """What a server of that name speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Upstream]:
    upstream = Upstream(tls)
    try:
        yield upstream
    finally:
        upstream.close()
