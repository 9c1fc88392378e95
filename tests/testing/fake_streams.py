"""Streamed answers as OpenAI gives them, and every way in which they can go wrong, as tables."""

import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Any

from testing import coded_speech
from testing.fake_openai import REPLY, Request, http

STALL_SECONDS = 20.0
"""The longest that an answer which goes no further waits for its client to leave."""
PIECE_BYTES = 4096


Break = Enum("Break", ["CUT", "RESET"])
"""What a stream comes to instead of its end: the connection is closed, or reset."""


@dataclass(frozen=True)
class Raw:
    """Bytes that are sent as they are, instead of a stream."""

    data: bytes


Piece = bytes | float | Break | Raw
"""Of a stream: bytes to send (b"" sends the head alone), seconds to wait, or what ends it."""
Row = Callable[[Any], Iterable[Piece]]
Body = dict[str, Any]


@dataclass(frozen=True)
class Pace:
    """Seconds before the first piece of an answer, and between its others."""

    first: float = 0.0
    between: float = 0.0

    def over(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        pause = self.first
        for piece in pieces:
            if isinstance(piece, bytes) and pause:
                yield pause
            yield piece
            pause = self.between


@dataclass
class Streamed:
    """An answer of the upstream's, in chunks; `left` is set once a client has left it."""

    pieces: Callable[[Body], Iterable[Piece]]
    content_type: Callable[[Body], str]
    left: threading.Event = field(default_factory=threading.Event)
    request_id: str = ""
    """The upstream's own id of the call; blank: it names none."""

    def __call__(self, connection: socket.socket, request: Request) -> bool:
        body = json.loads(request.body)
        named = f"x-request-id: {self.request_id}\r\n" if self.request_id else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self.content_type(body)}\r\n{named}"
        unsent = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
        try:
            for piece in self.pieces(body):
                match piece:
                    case Raw(data):
                        connection.sendall(data)
                        return True
                    case float() | int() as seconds:
                        if leaves(connection, seconds):
                            raise ConnectionError
                    case Break():
                        if piece is Break.RESET:
                            reset(connection)
                        return False
                    case bytes(data):
                        chunk = b"%x\r\n%s\r\n" % (len(data), data) if data else b""
                        connection.sendall(unsent + chunk)
                        unsent = b""
            connection.sendall(unsent + b"0\r\n\r\n")
        except OSError:
            self.left.set()
            raise
        return True


class Silent:
    """A stage that takes a request and answers nothing; `left` is set once its client has left."""

    def __init__(self) -> None:
        self.left = threading.Event()

    def __call__(self, connection: socket.socket, request: Request) -> bool:
        if leaves(connection, STALL_SECONDS):
            self.left.set()
        return False


def leaves(connection: socket.socket, seconds: float) -> bool:
    """Wait; whether the client closed its side meanwhile (it has nothing to say amid an answer)."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def reset(connection: socket.socket) -> None:
    """Make the close, which follows, a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def event(data: object) -> bytes:
    """A server-sent event, as OpenAI writes it."""
    return b"data: %s\n\n" % json.dumps(data, ensure_ascii=False).encode()


def chunk(delta: Body | None, finish: str | None = None, **fields: object) -> bytes:
    """A chunk of a reply; without a delta, one of no choices."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    choices = [] if delta is None else [choice]
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event({**base, "choices": choices, **fields})


ROLE = chunk({"role": "assistant", "content": "", "refusal": None})
STOP = chunk({}, "stop")
DONE = b"data: [DONE]\n\n"
COUNTED = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
ERROR = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}


def deltas(text: str, characters: int = 4) -> list[bytes]:
    """The chunks of a text, which are about as long as tokens are."""
    parts = (text[at : at + characters] for at in range(0, len(text), characters))
    return [chunk({"content": part}) for part in parts]


def half(pieces: list[bytes]) -> list[bytes]:
    return pieces[: (len(pieces) + 1) // 2]


def split_characters(stream: bytes) -> list[bytes]:
    """Cut within each character of several bytes, so that none arrives whole."""
    cuts = [at + 1 for at, byte in enumerate(stream) if byte >= 0xC0]
    return [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]


def cut(data: bytes, size: int = PIECE_BYTES) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


# Each makes a stream of a reply's text.
CHATS: dict[str, Row] = {
    "whole": lambda text: [ROLE, *deltas(text), STOP, DONE],
    "usage": lambda text: [ROLE, *deltas(text), STOP, chunk(None, usage=COUNTED), DONE],
    "length": lambda text: [ROLE, *deltas(text), chunk({}, "length"), DONE],
    "split characters": lambda text: split_characters(b"".join([ROLE, *deltas(text), STOP, DONE])),
    "one piece": lambda text: [b"".join([ROLE, *deltas(text), STOP, DONE])],
    "drips": lambda text: [ROLE, *(part for one in deltas(text, 1) for part in (0.1, one)), DONE],
    "silent": lambda text: [STALL_SECONDS, Break.CUT],
    "stalls": lambda text: [ROLE, *half(deltas(text)), STALL_SECONDS, Break.CUT],
    "cut": lambda text: [ROLE, *half(deltas(text)), Break.CUT],
    "reset": lambda text: [ROLE, *half(deltas(text)), Break.RESET],
    "error": lambda text: [ROLE, *half(deltas(text)), event({"error": ERROR})],
    "fails": lambda text: [Raw(failure("500 Internal Server Error", ERROR))],
}
# Each makes a stream of a speech's bytes.
SPEECHES: dict[str, Row] = {
    "whole": cut,
    "odd pieces": lambda speech: cut(speech, 1001),
    "empty": lambda speech: [b""],
    "silent": lambda speech: [STALL_SECONDS, Break.CUT],
    "stalls": lambda speech: [speech[: len(speech) // 2], STALL_SECONDS, Break.CUT],
    "cut": lambda speech: [speech[: len(speech) // 2], Break.CUT],
    "reset": lambda speech: [speech[: len(speech) // 2], Break.RESET],
    "fails": lambda speech: [Raw(failure("500 Internal Server Error", ERROR))],
}


def failure(status: str, error: Body) -> bytes:
    return http(json.dumps({"error": error}).encode(), status, Content_Type="application/json")


def streams_chat(
    row: str = "whole", reply: Callable[[Body], str] = lambda body: REPLY, pace: Pace = Pace()
) -> Streamed:
    """Answers to chat requests; one that does not ask for a stream gets the same text at once."""

    def pieces(body: Body) -> Iterator[Piece]:
        text = reply(body)
        if body.get("stream"):
            return pace.over(CHATS[row](text))
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = json.dumps({"choices": [choice]}).encode()
        return iter([pace.first, Raw(http(answer, Content_Type="application/json"))])

    return Streamed(pieces, lambda body: "text/event-stream; charset=utf-8")


SPEECH_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}


def streams_speech(
    row: Callable[[str], str] = lambda text: "whole", pace: Pace = Pace()
) -> Streamed:
    """Answers to speech requests, of coded speech; `row` picks the stream by the text to speak."""

    def pieces(body: Body) -> Iterator[Piece]:
        speech = coded_speech.encode(body["input"], body.get("response_format", "mp3"))
        return pace.over(SPEECHES[row(body["input"])](speech))

    return Streamed(pieces, lambda body: SPEECH_TYPES[body.get("response_format", "mp3")])
