"""Callers that listen to a stream: when its first and its last sound came, and whether it is whole.

What they get is checked after the stream's end, so that the check delays nothing.
"""

import asyncio
import base64
import json
import time
from dataclasses import dataclass

import spoken_dialogue
from callers import CALLER_SECONDS, NUMBERS, PROMISED, send
from dialogue import Recording

RECORDING_BYTES = 100_000


@dataclass(frozen=True)
class Heard:
    """Seconds to the first audio byte and to the last byte, and what was wrong, if anything was."""

    first: float
    last: float
    problem: str = ""


async def listen(port: int, *, streamed: bool = True) -> Heard:
    """Have one conversation; in JSON, all its sound comes at its end."""
    recording = Recording(next(NUMBERS), RECORDING_BYTES, 0)
    begun = time.monotonic()
    writer = None
    try:
        async with asyncio.timeout(CALLER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            accept = "text/event-stream" if streamed else "application/json"
            await send(writer, recording, {}, accept)
            head = await reader.readuntil(b"\r\n\r\n")
            if promised := PROMISED.search(head):
                frames = [await reader.readexactly(int(promised[1]))]
                first = time.monotonic()
            else:
                frames, first = await _frames(reader)
    except (OSError, EOFError, TimeoutError) as error:
        passed = time.monotonic() - begun
        return Heard(passed, passed, f"no answer ({type(error).__name__})")
    finally:
        if writer:
            writer.close()
    last = time.monotonic()
    problem = (_problem if streamed and not promised else _problem_of_json)(frames, recording)
    return Heard(first - begun, last - begun, problem)


async def _frames(reader: asyncio.StreamReader) -> tuple[list[bytes], float]:
    """The body's chunks, and when the first that holds sound came."""
    frames, first = [], 0.0
    while size := int(await reader.readline(), 16):
        frames.append(await reader.readexactly(size))
        await reader.readexactly(2)
        if not first and b"event: audio\n" in frames[-1]:
            first = time.monotonic()
    await reader.readexactly(2)
    return frames, first


def _problem(frames: list[bytes], recording: Recording) -> str:
    """What is wrong with a stream's answer to the recording, or nothing."""
    text, parts, sound = "", [], []
    for frame in b"".join(frames).split(b"\n\n"):
        name, _, data = frame.partition(b"\ndata: ")
        match name:
            case b"event: text":
                text += json.loads(data)["delta"]
            case b"event: segment":
                parts.append(json.loads(data)["text"])
                sound.append(b"")
            case b"event: audio":
                sound[-1] += base64.b64decode(json.loads(data)["data"])
            case b"event: error":
                return json.loads(data)["code"]
            case b"event: done":
                done = json.loads(data)
    if not done["success"] or done["transcript"] != recording.transcript:
        return "another's transcript"
    if not text == "".join(parts) == spoken_dialogue.reply(recording.transcript):
        return "another's reply"
    if [spoken_dialogue.speech(part.strip()) for part in parts] != sound:
        return "another's speech"
    return ""


def _problem_of_json(frames: list[bytes], recording: Recording) -> str:
    answer = json.loads(frames[0])
    if answer["errors"]:
        return answer["errors"][0]["code"]
    reply = spoken_dialogue.reply(recording.transcript)
    if (answer["transcript"], answer["text_response"]) != (recording.transcript, reply):
        return "another's words"
    speech = spoken_dialogue.speech(reply)
    return "" if base64.b64decode(answer["audio"]) == speech else "another's speech"
