"""The simulated upstream: every answer of it follows from what it was asked.

With SECONDS, it waits so long before each answer. Without, it has the pace of a real one. With
`--certificate`, it speaks TLS.
"""

import argparse
import asyncio
import json
import math
import re
import ssl
import time
import zlib
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from dataclasses import dataclass

import dialogue
import realtime_upstream
import spoken_dialogue

LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
READ_BYTES = 262_144
PIECE_SECONDS = 0.1
"""How much of the speech comes at a time."""


@dataclass(frozen=True)
class Pace:
    """Seconds to each stage's first byte, and how fast the rest of it follows."""

    stt: float
    first_token: float
    first_sound: float
    tokens_a_second: float = math.inf
    characters_a_second: float = math.inf


REAL = Pace(0.5, 0.4, 0.3, tokens_a_second=50, characters_a_second=100)
FLOOR_SECONDS = (
    REAL.stt
    + REAL.first_token
    + (spoken_dialogue.TOKENS_TO_SPEAK - 1) / REAL.tokens_a_second
    + REAL.first_sound
)
"""The soonest that the first sentence can be heard, with nothing between caller and upstream."""


async def until(moment: float) -> None:
    """Wait until the clock shows it, so that a busy machine does not slow the pace for good."""
    if (left := moment - time.monotonic()) > 0:
        await asyncio.sleep(left)


class Upstream:
    """Answers at a pace, and counts the connections that were made to it."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.connections = 0
        self.calls = {
            b"transcriptions": self.hear,
            b"completions": self.think,
            b"speech": self.speak,
            b"connections": self.count,
        }

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the calls of one connection until its client closes it."""
        self.connections += 1
        with suppress(EOFError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2]
                if path == b"realtime":
                    await realtime_upstream.serve(reader, writer, head, self.pace.first_sound)
                    break
                length = LENGTH.search(head)
                await self.calls[path](reader, writer, int(length[1]) if length else 0)
                await writer.drain()
        writer.close()

    async def hear(self, reader: StreamReader, writer: StreamWriter, length: int) -> None:
        """The transcript of the recording in a form, which is read without being held."""
        begun = time.monotonic()
        piece = await reader.readexactly(min(length, 1000))
        length -= len(piece)
        recording = piece[piece.index(b"RIFF") :]
        left = int.from_bytes(recording[4:8], "little") + 8
        wanted, checksum = dialogue.wanted(recording), 0
        while True:
            checksum = zlib.crc32(recording[:left], checksum)
            left -= len(recording[:left])
            if not length:
                break
            recording = await reader.read(min(length, READ_BYTES))
            if not recording:
                raise EOFError
            length -= len(recording)
        await until(begun + self.pace.stt)
        whole_json(writer, {"text": dialogue.transcript(checksum, wanted)})

    async def think(self, reader: StreamReader, writer: StreamWriter, length: int) -> None:
        """The reply to the last message."""
        begun = time.monotonic() + self.pace.first_token
        body = json.loads(await reader.readexactly(length))
        reply = dialogue.reply(body["messages"][-1]["content"])
        tokens, rate = spoken_dialogue.tokens(reply), self.pace.tokens_a_second
        if not body.get("stream"):
            await until(begun + (len(tokens) - 1) / rate)
            message = {"role": "assistant", "content": reply}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            whole_json(writer, {"choices": [choice]})
            return
        begin(writer, b"text/event-stream")
        for number, token in enumerate(tokens):
            await until(begun + number / rate)
            chunk(writer, event({"content": token}, None))
            await writer.drain()
        chunk(writer, event({}, "stop") + b"data: [DONE]\n\n")
        chunk(writer, b"")

    async def speak(self, reader: StreamReader, writer: StreamWriter, length: int) -> None:
        """The input, spoken."""
        begun = time.monotonic() + self.pace.first_sound
        body = json.loads(await reader.readexactly(length))
        audio_format = body.get("response_format", "mp3")
        speech = dialogue.speech(body["input"], audio_format)
        if self.pace.characters_a_second == math.inf:
            await until(begun)
            whole(writer, b"audio/mpeg", speech)
            return
        begin(writer, b"audio/mpeg")
        rate = self.pace.characters_a_second * spoken_dialogue.BYTES_A_CHARACTER[audio_format]
        size = round(PIECE_SECONDS * rate)
        for start in range(0, len(speech), size):
            await until(begun + start / rate)
            chunk(writer, speech[start : start + size])
            await writer.drain()
        chunk(writer, b"")

    async def count(self, _: StreamReader, writer: StreamWriter, __: int) -> None:
        """How many connections were made before the one that asks."""
        whole_json(writer, self.connections - 1)


def event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return b"data: %s\n\n" % json.dumps(data | {"choices": [choice]}).encode()


def begin(writer: StreamWriter, kind: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head % kind)


def chunk(writer: StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def whole(writer: StreamWriter, kind: bytes, content: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (kind, len(content)) + content)


def whole_json(writer: StreamWriter, content: object) -> None:
    whole(writer, b"application/json", json.dumps(content).encode())


async def main(pace: Pace, certificate: str | None) -> None:
    """Print the port, and serve until told to stop."""
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    server = await asyncio.start_server(
        *(Upstream(pace).serve, "127.0.0.1", 0), backlog=4096, limit=2 * READ_BYTES, ssl=tls
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?")
    parser.add_argument("--certificate")
    options = parser.parse_args()
    seconds = options.seconds
    pace = REAL if seconds is None else Pace(seconds, seconds, seconds)
    asyncio.run(main(pace, options.certificate))
