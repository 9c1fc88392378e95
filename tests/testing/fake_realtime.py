"""The Realtime API's server, as the tests' upstream speaks it: checked against OpenAI's types."""

import base64
import json
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.response_create_event_param import ResponseCreateEventParam
from pydantic import TypeAdapter
from websockets.frames import Opcode
from websockets.server import ServerProtocol

from testing import coded_speech
from testing.fake_openai import Request
from testing.fake_streams import STALL_SECONDS, Pace, leaves

EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
REQUESTS: TypeAdapter[Any] = TypeAdapter(ResponseCreateEventParam)
PCM = b"".join(
    int(9000 * (n % 100 - 50) / 50).to_bytes(2, "little", signed=True) for n in range(24_000)
)
"""A second of a hum at 240 Hz."""


def plain(value: Any) -> Any:
    """What pydantic took, with the lists that it only promises: nothing unknown is left in it."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value if isinstance(value, str | int) else [plain(item) for item in value]


class Session:
    """An accepted WebSocket: sends nothing, and takes nothing, that OpenAI's SDK does not know."""

    def __init__(self, connection: socket.socket, request: Request) -> None:
        self.connection = connection
        self.pause = 0.0
        """Seconds between the parts of a speech."""
        self.response = 0
        self.received: deque[dict[str, Any]] = deque()
        # Its own logger: tests look for the key in all that is logged, and this one is sent it.
        self.protocol = ServerProtocol(max_size=None, logger=logging.Logger("", logging.ERROR))
        self.protocol.receive_data(request.sent)
        [asked] = self.protocol.events_received()
        self.protocol.send_response(answer := self.protocol.accept(asked))
        assert answer.status_code == 101
        self.flush()

    def send(self, kind: str, **fields: object) -> None:
        """Send one event, of the SDK's types."""
        event = {"type": kind, "event_id": "event_1", **fields}
        EVENTS.validate_python(event)
        self.send_text(json.dumps(event))

    def send_text(self, text: str) -> None:
        """Send whatever it is."""
        self.protocol.send_text(text.encode())
        self.flush()

    def receive(self) -> dict[str, Any]:
        """The next event, which is a `response.create` with no field that the SDK lacks."""
        while not self.received:
            data = self.connection.recv(65_536)
            if not data:
                raise ConnectionError
            self.protocol.receive_data(data)
            self.flush()
            for frame in self.protocol.events_received():
                if frame.opcode is Opcode.TEXT:
                    event = json.loads(frame.data)
                    assert plain(REQUESTS.validate_python(event)) == event
                    self.received.append(event)
            if self.protocol.close_expected():  # The client waits for the server to close first.
                raise ConnectionError
        return self.received.popleft()

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            self.connection.sendall(data)

    def begin(self) -> dict[str, Any]:
        """Say hello, and take the request."""
        self.send("session.created", session={"type": "realtime", "model": "m"})
        return self.receive()["response"]

    def audio(self, pcm: bytes = PCM) -> None:
        """Send PCM, in parts, amid events that a reader has no use for."""
        self.response += 1
        self.send("response.created", response={"id": self.id, "status": "in_progress"})
        for start in range(0, len(pcm), 10_001):
            self.wait(self.pause if start else 0)
            delta = base64.b64encode(pcm[start : start + 10_001]).decode()
            self.send("response.output_audio.delta", delta=delta, **self.place)
            self.send("response.output_audio_transcript.delta", delta="…", **self.place)
        self.send("response.output_audio.done", **self.place)

    def said(self, transcript: str) -> None:
        """Send what was really said."""
        self.send("response.output_audio_transcript.done", transcript=transcript, **self.place)

    def done(self, status: str = "completed", **details: object) -> None:
        """End the response."""
        response = {"id": self.id, "status": status, "status_details": {"type": status, **details}}
        self.send("response.done", response=response)

    @property
    def id(self) -> str:
        return f"r{self.response}"

    @property
    def place(self) -> dict[str, object]:
        return {"response_id": self.id, "item_id": "i", "output_index": 0, "content_index": 0}

    def wait(self, seconds: float) -> None:
        """Wait; raise ConnectionError once the client says or does anything."""
        if seconds and leaves(self.connection, seconds):
            raise ConnectionError

    def read(self, text: str, share: float = 1.0, said: str | None = None) -> None:
        """Speak `text` as coded speech, or the first `share` of its bytes; end if it is all."""
        pcm = coded_speech.encode(text, "pcm")
        self.audio(pcm[: int(len(pcm) * share)])
        if share == 1.0:
            self.said(said or text)
            self.done()

    def stall(self) -> None:
        self.wait(STALL_SECONDS)
        raise Over

    def leave(self, *, properly: bool = True) -> None:
        """Close the connection, with WebSocket's own goodbye or without."""
        if properly:
            self.protocol.send_close(1001, "going away")
            self.flush()
        raise Over


class Over(ConnectionError):
    """The session is ended from here."""


Script = Callable[[Session], object]


def plays(script: Script) -> Callable[[socket.socket, Request], None]:
    """An upstream's answer: a session that begins, goes by `script`, and ends."""

    def answer(connection: socket.socket, request: Request) -> None:
        session = Session(connection, request)
        session.begin()
        script(session)

    return answer


LIMIT = {"type": "tokens", "code": "rate_limit_exceeded", "message": "Slow down."}
FAULT = {"type": "server_error", "code": None, "message": "We recommend you retry."}
# Each has a text read in a session, which then goes on unless the row ends it.
READINGS: dict[str, Callable[[Session, str], object]] = {
    "whole": Session.read,
    "closes after": lambda session, text: (session.read(text), session.leave()),
    "closes amid": lambda session, text: (session.read(text, 0.5), session.leave()),
    "cut after": lambda session, text: (session.read(text), session.leave(properly=False)),
    "cut amid": lambda session, text: (session.read(text, 0.5), session.leave(properly=False)),
    "silent": lambda session, text: session.stall(),
    "stalls": lambda session, text: (session.read(text, 0.5), session.stall()),
    "empty": lambda session, text: (session.said(text), session.done()),
    "reworded": lambda session, text: session.read(text, said="Something else was said."),
    "error": lambda session, text: (session.read(text, 0.5), session.send("error", error=LIMIT)),
    "failed": lambda session, text: (session.read(text, 0.5), session.done("failed", error=FAULT)),
    "incomplete": lambda session, text: (
        session.read(text, 0.5),
        session.done("incomplete", reason="max_output_tokens"),
    ),
}


@dataclass
class Readings:
    """An upstream's answer: a session that reads one text after another, until its client leaves.

    `row` picks how, by the text; `left` is set once a client has left, amid a text or between two.
    """

    row: Callable[[str], str] = lambda text: "whole"
    pace: Pace = field(default_factory=Pace)
    left: threading.Event = field(default_factory=threading.Event)

    def __call__(self, connection: socket.socket, request: Request) -> None:
        session = Session(connection, request)
        session.send("session.created", session={"type": "realtime", "model": "m"})
        try:
            while True:
                asked = session.receive()["response"]
                assert asked["conversation"] == "none"
                [[content]] = [message["content"] for message in asked["input"]]
                assert content["type"] == "input_text"
                session.pause = self.pace.between
                session.wait(self.pace.first)
                READINGS[self.row(content["text"])](session, content["text"])
        except Over:
            return
        except OSError:
            self.left.set()
