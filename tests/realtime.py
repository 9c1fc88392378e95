"""The Realtime API's server, as the tests' upstream speaks it: checked against OpenAI's types."""

import base64
import json
import socket
from collections.abc import Callable
from typing import Any

from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.response_create_event_param import ResponseCreateEventParam
from pydantic import TypeAdapter
from upstream import REPLY, Request
from websockets.frames import Opcode
from websockets.protocol import SERVER, Protocol
from websockets.utils import accept_key

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
    if isinstance(value, str | int):
        return value
    return [plain(item) for item in value]


class Session:
    """An accepted WebSocket: sends nothing, and takes nothing, that OpenAI's SDK does not know."""

    def __init__(self, connection: socket.socket, request: Request) -> None:
        assert request.headers["upgrade"] == "websocket"
        assert request.headers["sec-websocket-version"] == "13"
        self.connection = connection
        self.protocol = Protocol(SERVER, max_size=None)
        key = accept_key(request.headers["sec-websocket-key"])
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + key.encode() + b"\r\n\r\n"
        )

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
        while data := self.connection.recv(65_536):
            self.protocol.receive_data(data)
            self.flush()
            for frame in self.protocol.events_received():
                if frame.opcode is Opcode.TEXT:
                    event = json.loads(frame.data)
                    assert plain(REQUESTS.validate_python(event)) == event
                    return event
        raise ConnectionError

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            self.connection.sendall(data)

    def begin(self) -> dict[str, Any]:
        """Say hello, and take the request."""
        self.send("session.created", session={"type": "realtime", "model": "m"})
        return self.receive()["response"]

    def audio(self, pcm: bytes = PCM) -> None:
        """Send PCM, in parts, amid events that a reader has no use for."""
        place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        self.send("response.created", response={"id": "r", "status": "in_progress"})
        for start in range(0, len(pcm), 10_001):
            delta = base64.b64encode(pcm[start : start + 10_001]).decode()
            self.send("response.output_audio.delta", delta=delta, **place)
            self.send("response.output_audio_transcript.delta", delta="…", **place)
        self.send("response.output_audio.done", **place)

    def said(self, transcript: str) -> None:
        """Send what was really said."""
        place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        self.send("response.output_audio_transcript.done", transcript=transcript, **place)

    def done(self, status: str = "completed", **details: object) -> None:
        """End the response."""
        response = {"id": "r", "status": status, "status_details": {"type": status, **details}}
        self.send("response.done", response=response)


Script = Callable[[Session], object]


def plays(script: Script) -> Callable[[socket.socket, Request], None]:
    """An upstream's answer: a session that begins, goes by `script`, and ends."""

    def answer(connection: socket.socket, request: Request) -> None:
        session = Session(connection, request)
        session.begin()
        script(session)

    return answer


def speaks(connection: socket.socket, request: Request) -> None:
    """Read the text that was asked for, word for word, as it should be."""
    session = Session(connection, request)
    response = session.begin()
    [message] = response["input"]
    assert message["content"] == [{"type": "input_text", "text": REPLY}]
    assert response["conversation"] == "none"
    session.audio()
    session.said(REPLY)
    session.done()
