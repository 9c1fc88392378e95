"""The simulated upstream; it waits SECONDS (its argument) before each answer."""

import asyncio
import json
import re
import sys
import zlib
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

import dialogue
import realtime_upstream

LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
READ_BYTES = 262_144


async def transcription(reader: StreamReader, length: int) -> tuple[bytes, bytes]:
    """The transcript of the recording in a form, which is read without being held."""
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
    answer = {"text": dialogue.transcript(checksum, wanted)}
    return b"application/json", json.dumps(answer).encode()


async def completion(reader: StreamReader, length: int) -> tuple[bytes, bytes]:
    """The reply to the last message."""
    heard = json.loads(await reader.readexactly(length))["messages"][-1]["content"]
    message = {"role": "assistant", "content": dialogue.reply(heard)}
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return b"application/json", json.dumps(answer).encode()


async def speech(reader: StreamReader, length: int) -> tuple[bytes, bytes]:
    """The input, spoken."""
    return b"audio/mpeg", dialogue.speech(json.loads(await reader.readexactly(length))["input"])


CALLS = {b"transcriptions": transcription, b"completions": completion, b"speech": speech}


async def serve(reader: StreamReader, writer: StreamWriter, seconds: float) -> None:
    """Answer the calls of one connection until its client closes it."""
    with suppress(EOFError, OSError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2]
            if path == b"realtime":
                await realtime_upstream.serve(reader, writer, head, seconds)
                break
            length = LENGTH.search(head)
            kind, content = await CALLS[path](reader, int(length[1]))
            if seconds:
                await asyncio.sleep(seconds)
            status = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n" % kind
            writer.write(status + b"Content-Length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()
    writer.close()


async def main(seconds: float) -> None:
    """Print the port, and serve until told to stop."""
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, seconds),
        "127.0.0.1",
        0,
        backlog=4096,
        limit=2 * READ_BYTES,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
