"""The service with its limits shortened, and callers who listen to its streams."""

import re
import socket
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import requests
from urllib3 import encode_multipart_formdata

from testing.builders import KEY, ROOT, wav
from testing.fake_openai import Upstream, soon
from testing.fake_realtime import Readings
from testing.fake_streams import Pace, Streamed, reset, streams_speech
from testing.gunicorn_process import Service, serving
from testing.served_conversations import converse
from testing.stream_readers import Heard, events_of, heard

REPLY = (
    "Grüße aus Paris, the capital of France, where I am! Its river is the Seine. "
    "It has two million people, who like it. 東京は日本の首都です。And that is all of it, "
    "as far as I know, for now. There may be more to say another day. "
) * 2
REPLY = REPLY.strip()
HEARTBEAT, GRACE, CAPACITY = 0.6, 6, 4
END_SECONDS = 15
"""In which all work for a caller who has left ends: a second, and what a busy machine needs."""

SPEAKERS = ("tts-1", "reader-1")
"""The models that speak, by /audio/speech and over the Realtime API."""


@contextmanager
def served(
    folder: Path, url: str, limits: str = "", deadline: float = 4, **more: str
) -> Iterator[Service]:
    """The service with its limits shortened, where gunicorn reads its configuration."""
    (folder / "gunicorn.conf.py").write_text(
        (ROOT / "gunicorn.conf.py").read_text()
        + textwrap.dedent(
            f"""
            from parley.upstream import calls
            from parley.web import event_stream
            from parley.web.serving import connection_limits
            event_stream.HEARTBEAT_SECONDS = {HEARTBEAT}
            calls.BACKOFF = (0.05, 0.05)
            graceful_timeout = {GRACE}
            """
        )
        + limits
    )
    variables = {
        "PARLEY_OPENAI_BASE_URL": url,
        "PARLEY_CAPACITY": str(CAPACITY),
        "PARLEY_DEADLINE": str(deadline),
        **more,
    }
    configuration = f"--config={folder / 'gunicorn.conf.py'}"
    with serving(folder / "log", variables, ROOT, configuration) as running:
        yield running


def speaks(
    model: str, row: Callable[[str], str] = lambda text: "whole", first: float = 0.0
) -> Streamed | Readings:
    """What the model is to say; `row` picks how, by the text, and `first` is a wait before it."""
    return (Readings if model == "reader-1" else streams_speech)(row, Pace(first))


def post(
    service: Service,
    accept: str = "text/event-stream",
    base_url: str = "",
    audio: bytes = b"",
    **fields: str,
) -> requests.Response:
    """A conversation's answer, whose body is not read yet."""
    headers = {"Accept": accept, "X-OpenAI-Base-URL": base_url}
    return converse(service, 60, audio or wav(), fields, stream=True, **headers)


def listen(service: Service, **how: Any) -> Heard:
    """A whole stream."""
    with closing(post(service, **how)) as response:
        assert response.status_code == 200, response.text
        stream = heard(events_of(response.iter_content(None)))
        stream.headers = response.headers
        return stream


def request(
    accept: str = "text/event-stream", request_id: str = "", version: str = "1.1", **fields: str
) -> bytes:
    """The same request, written out."""
    body, content_type = encode_multipart_formdata({**fields, "audio": ("a", wav())})
    head = (
        f"POST /api/conversation/ HTTP/{version}\r\nHost: x\r\nX-OpenAI-API-Key: {KEY}\r\n"
        f"X-Request-ID: {request_id}\r\nAccept: {accept}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def caller(
    service: Service, accept: str = "text/event-stream", **fields: str
) -> Iterator[socket.socket]:
    """A connection on which the request is sent; it takes little that it does not read."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.settimeout(30)
        connection.connect(service.address)
        connection.sendall(request(accept, **fields))
        yield connection


def until(connection: socket.socket, awaited: bytes) -> bytes:
    """Read on to `awaited`."""
    received = b""
    while awaited not in received:
        piece = connection.recv(65_536)
        assert piece, received
        received += piece
    return received


def until_asked(upstream: Upstream, stage: str) -> None:
    """Wait until the upstream has got a call of that stage."""
    assert soon(lambda: any(request.stage == stage for request in upstream.requests))


def request_id_of(received: bytes) -> str:
    """The id that the head of an answer names."""
    return re.search(rb"X-Request-ID: (\S+)", received)[1].decode()


def log_line(service: Service, request_id: str) -> str:
    """The conversation's line, which comes once its answer has ended."""
    named = f"request_id={request_id} "
    assert service.logs(named), service.log
    return next(line for line in service.log.splitlines() if named in line)


def is_quiet(service: Service) -> None:
    """The log has neither an error of the service's own nor the key."""
    assert "Traceback" not in service.log
    assert "internal_error" not in service.log
    assert KEY not in service.log


def all_slots_are_free(service: Service) -> None:
    """As many conversations as there are slots can be under way at once."""

    def are_free() -> bool:
        with ExitStack() as stack:
            streams = [stack.enter_context(closing(post(service))) for _ in range(CAPACITY)]
            statuses = {stream.status_code for stream in streams}
            for stream in streams:
                stream.content  # noqa: B018  # Reads it to its end.
        return statuses == {200}

    assert soon(are_free, END_SECONDS)


LEAVES = {
    "closes": socket.socket.close,
    "resets": lambda connection: (reset(connection), connection.close()),
    "half-closes": lambda connection: connection.shutdown(socket.SHUT_WR),
}
"""How a caller leaves."""
