"""The simulated upstream's Realtime API: reads a text aloud as PCM, as fast as it is taken."""

import asyncio
import base64
import json
import re
from asyncio import StreamReader, StreamWriter

from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol
from websockets.utils import accept_key

import dialogue

KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.I)
DELTA_BYTES = 24_000
"""Half a second of PCM (24 kHz, 16 bit, mono) in each event."""

PLACE = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
HUM = b"".join(
    int(9000 * (n % 100 - 50) / 50).to_bytes(2, "little", signed=True) for n in range(12_000)
)


def event(kind: str, **fields: object) -> bytes:
    """An event as the frame that carries it."""
    data = json.dumps({"type": kind, "event_id": "event_1", **fields}).encode()
    return Frame(Opcode.TEXT, data).serialize(mask=False)


def delta(pcm: bytes) -> bytes:
    """A piece of the speech."""
    return event("response.output_audio.delta", delta=base64.b64encode(pcm).decode(), **PLACE)


WHOLE_DELTA = delta(HUM)


async def serve(reader: StreamReader, writer: StreamWriter, head: bytes, seconds: float) -> None:
    """Accept the WebSocket and answer its first `response.create`; the client closes."""
    protocol = Protocol(SERVER)
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(KEY.search(head)[1].decode()).encode() + b"\r\n\r\n"
    )
    writer.write(event("session.created", session={"type": "realtime", "model": "m"}))
    while data := await reader.read(65_536):
        protocol.receive_data(data)
        for frame in protocol.events_received():
            if frame.opcode is Opcode.TEXT:
                await asyncio.sleep(seconds)
                await read_aloud(writer, json.loads(frame.data))


async def read_aloud(writer: StreamWriter, request: dict) -> None:
    """Send the input's text as PCM of the size that it asks for, and what was said."""
    text = request["response"]["input"][0]["content"][0]["text"]
    whole, rest = divmod(dialogue.wanted(text.encode()), DELTA_BYTES)
    for _ in range(whole):
        writer.write(WHOLE_DELTA)
        await writer.drain()
    if rest:
        writer.write(delta(HUM[:rest]))
    writer.write(event("response.output_audio_transcript.done", transcript=text, **PLACE))
    writer.write(event("response.done", response={"id": "r", "status": "completed"}))
    await writer.drain()
