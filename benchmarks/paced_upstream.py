"""The simulated upstream at the pace of a real one, whole answers and streamed ones alike."""

import asyncio
import json
import time
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

import spoken_dialogue
from upstream import LENGTH, READ_BYTES, transcription

STT_SECONDS = 0.5
FIRST_TOKEN_SECONDS = 0.4
TOKENS_A_SECOND = 50
FIRST_SOUND_SECONDS = 0.3
SOUND_BYTES_A_SECOND = 100_000
PIECE_BYTES = 10_000

FLOOR_SECONDS = (
    STT_SECONDS
    + FIRST_TOKEN_SECONDS
    + (spoken_dialogue.TOKENS_TO_SPEAK - 1) / TOKENS_A_SECOND
    + FIRST_SOUND_SECONDS
)
"""The soonest that the first sentence can be heard, with nothing between caller and upstream."""


async def until(moment: float) -> None:
    """Wait until the clock shows it, so that a busy machine does not slow the pace for good."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def hear(reader: StreamReader, writer: StreamWriter, length: int) -> None:
    begun = time.monotonic()
    kind, content = await transcription(reader, length)
    await until(begun + STT_SECONDS)
    whole(writer, kind, content)


async def think(reader: StreamReader, writer: StreamWriter, length: int) -> None:
    begun = time.monotonic()
    body = json.loads(await reader.readexactly(length))
    reply = spoken_dialogue.reply(body["messages"][-1]["content"])
    tokens = spoken_dialogue.tokens(reply)
    if not body.get("stream"):
        await until(begun + FIRST_TOKEN_SECONDS + (len(tokens) - 1) / TOKENS_A_SECOND)
        message = {"role": "assistant", "content": reply}
        answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        whole(writer, b"application/json", json.dumps(answer).encode())
        return
    begin(writer, b"text/event-stream")
    for number, token in enumerate(tokens):
        await until(begun + FIRST_TOKEN_SECONDS + number / TOKENS_A_SECOND)
        chunk(writer, event({"content": token}, None))
        await writer.drain()
    chunk(writer, event({}, "stop") + b"data: [DONE]\n\n")
    chunk(writer, b"")


async def speak(reader: StreamReader, writer: StreamWriter, length: int) -> None:
    begun = time.monotonic()
    speech = spoken_dialogue.speech(json.loads(await reader.readexactly(length))["input"])
    begin(writer, b"audio/mpeg")
    for start in range(0, len(speech), PIECE_BYTES):
        await until(begun + FIRST_SOUND_SECONDS + start / SOUND_BYTES_A_SECOND)
        chunk(writer, speech[start : start + PIECE_BYTES])
        await writer.drain()
    chunk(writer, b"")


CALLS = {b"transcriptions": hear, b"completions": think, b"speech": speak}


def event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode()


def begin(writer: StreamWriter, kind: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head % kind)


def chunk(writer: StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def whole(writer: StreamWriter, kind: bytes, content: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (kind, len(content)) + content)


async def serve(reader: StreamReader, writer: StreamWriter) -> None:
    """Answer the calls of one connection until its client closes it."""
    with suppress(EOFError, OSError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].rpartition(b"/")[2]
            await CALLS[path](reader, writer, int(LENGTH.search(head)[1]))
    writer.close()


async def main() -> None:
    """Print the port, and serve until told to stop."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096, limit=2 * READ_BYTES)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
