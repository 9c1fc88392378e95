"""Callers that listen to a stream: when its first and its last sound came, and whether it is whole.

What they get is checked after the stream's end, so that the check delays nothing.
"""

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from enum import Enum

import dialogue
import spoken_dialogue
from callers import CALLER_SECONDS, NUMBERS, pieces, send
from dialogue import Recording

RECORDING_BYTES = 100_000


class Kind(Enum):
    """How an answer comes: as events, as sound alone, or whole; and the header that asks for it."""

    EVENTS = "text/event-stream"
    SOUND = "audio/*"
    JSON = "application/json"


@dataclass(frozen=True)
class Heard:
    """Seconds to the first audio byte and to the last byte, and what was wrong, if anything was."""

    first: float
    last: float
    problem: str = ""


async def listen(port: int, kind: Kind = Kind.EVENTS, audio_format: str = "mp3") -> Heard:
    """Have one conversation; in JSON, all its sound comes at its end."""
    recording = Recording(next(NUMBERS), RECORDING_BYTES, 0)
    begun = time.monotonic()
    writer, body, first = None, b"", 0.0
    try:
        async with asyncio.timeout(CALLER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await send(writer, recording, {"audio_format": audio_format}, kind.value)
            head = await reader.readuntil(b"\r\n\r\n")
            frames = []
            async for piece in pieces(reader, head):
                frames.append(piece)
                if not first and (kind is not Kind.EVENTS or b"event: audio\n" in piece):
                    first = time.monotonic()
            body = b"".join(frames)
    except (OSError, EOFError, TimeoutError) as error:
        passed = time.monotonic() - begun
        return Heard(passed, passed, f"no answer ({type(error).__name__})")
    finally:
        if writer:
            writer.close()
    last = time.monotonic()
    if not head.startswith(b"HTTP/1.1 200"):
        problem = f"status {head[9:12].decode()}"
    else:
        problem = CHECKS[kind](body, recording.transcript, audio_format)
    return Heard((first or last) - begun, last - begun, problem)


async def at_once(
    port: int, count: int, kind: Kind = Kind.EVENTS, audio_format: str = "mp3"
) -> list[Heard]:
    """What each of `count` callers heard, who come at once."""
    return await asyncio.gather(*(listen(port, kind, audio_format) for _ in range(count)))


def _problem_of_events(body: bytes, transcript: str, audio_format: str) -> str:
    """What is wrong with a stream's answer to the recording, or nothing."""
    text, parts, sound, done = "", [], [], None
    for frame in body.split(b"\n\n"):
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
    if not done:
        return "no end"
    if not done["success"] or done["transcript"] != transcript:
        return "another's transcript"
    if not text == "".join(parts) == dialogue.reply(transcript):
        return "another's reply"
    if [dialogue.speech(part.strip(), audio_format) for part in parts] != sound:
        return "another's speech"
    return ""


def _problem_of_sound(body: bytes, transcript: str, audio_format: str) -> str:
    reply = dialogue.reply(transcript)
    right = spoken_dialogue.is_speech_of(body, reply, audio_format)
    return "" if right else "another's speech"


def _problem_of_json(body: bytes, transcript: str, audio_format: str) -> str:
    answer = json.loads(body)
    if answer["errors"]:
        return answer["errors"][0]["code"]
    reply = dialogue.reply(transcript)
    if (answer["transcript"], answer["text_response"]) != (transcript, reply):
        return "another's words"
    speech = dialogue.speech(reply, audio_format)
    return "" if base64.b64decode(answer["audio"]) == speech else "another's speech"


CHECKS = {
    Kind.EVENTS: _problem_of_events,
    Kind.SOUND: _problem_of_sound,
    Kind.JSON: _problem_of_json,
}
