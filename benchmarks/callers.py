"""Callers that have conversations, and look at every byte of the answers."""

import asyncio
import base64
import io
import itertools
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import av

import dialogue
from dialogue import Recording

REALTIME = {"tts_model": "gpt-realtime-2.1-mini"}
"""The field that has a reply spoken over the Realtime API."""

PCM_RATE = 48_000
"""Bytes of PCM in a second."""

CALLER_SECONDS = 190
PROMISED = re.compile(rb"content-length: *(\d+)", re.I)
NUMBERS = itertools.count()
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Outcome:
    """How many seconds a conversation took, and what was wrong with it: nothing, if blank."""

    seconds: float
    problem: str = ""


async def converse(
    port: int,
    *,
    size: int = 100_000,
    wanted: int = 30_000,
    realtime: bool = False,
    sound: bool = False,
    connection: Connection | None = None,
) -> Outcome:
    """Send a recording of `size` bytes that wants `wanted` bytes of speech, and check the answer.

    It is JSON, or `sound` alone. Without a `connection` to keep, one is opened, as part of the
    time, and closed.
    """
    recording = Recording(next(NUMBERS), size, wanted)
    begun = time.monotonic()
    writer = None
    try:
        async with asyncio.timeout(CALLER_SECONDS):
            reader, writer = connection or await asyncio.open_connection("127.0.0.1", port)
            await send(writer, recording, REALTIME if realtime else {})
            head = await reader.readuntil(b"\r\n\r\n")
            body = b"".join([piece async for piece in pieces(reader, head)])
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        return Outcome(time.monotonic() - begun, f"no answer ({type(error).__name__})")
    finally:
        if writer and not connection:
            writer.close()
    seconds = time.monotonic() - begun
    if int(head[9:12]) == 200 and sound:
        right = body == dialogue.speech(dialogue.reply(recording.transcript))
        return Outcome(seconds, "" if right else "another's speech")
    return Outcome(seconds, _problem(int(head[9:12]), body, recording, realtime))


async def repeatedly(port: int, callers: int, times: int, **options: bool) -> list[Outcome]:
    """As many callers at once, each with as many conversations, one after the other."""

    async def caller() -> list[Outcome]:
        return [await converse(port, **options) for _ in range(times)]

    nested = await asyncio.gather(*(caller() for _ in range(callers)))
    return list(itertools.chain(*nested))


async def pieces(reader: asyncio.StreamReader, head: bytes) -> AsyncIterator[bytes]:
    """The body of the answer with this head, in the pieces in which it is sent."""
    if promised := PROMISED.search(head):
        yield await reader.readexactly(int(promised[1]))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


def lost(outcomes: Iterable[Outcome]) -> int:
    """How many had no right answer."""
    return sum(bool(outcome.problem) for outcome in outcomes)


def problems(outcomes: Iterable[Outcome]) -> str:
    """Each problem, and how often it came."""
    counts = Counter(outcome.problem for outcome in outcomes if outcome.problem)
    return ", ".join(f"{count} times {problem}" for problem, count in counts.most_common())


async def send(
    writer: asyncio.StreamWriter, recording: Recording, fields: dict[str, str], accept: str = "*/*"
) -> None:
    """Send the request of a conversation, the recording without holding the whole of it.

    Its boundary is its own, as a real client's is: a server may keep what it compiled for another.
    """
    boundary = secrets.token_hex(12)
    form = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    form += f'--{boundary}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n'
    form += "Content-Type: audio/wav\r\n\r\n"
    end = f"\r\n--{boundary}--\r\n"
    head = (
        "POST /api/conversation/ HTTP/1.1\r\nHost: localhost\r\nX-OpenAI-API-Key: local\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(form) + recording.size + len(end)}\r\n\r\n"
    )
    writer.write((head + form).encode())
    for piece in recording.pieces():
        writer.write(piece)
        await writer.drain()
    writer.write(end.encode())


def _problem(status: int, body: bytes, recording: Recording, realtime: bool) -> str:
    """What is wrong with an answer to that recording, or nothing."""
    if status != 200:
        codes = re.findall(rb'"code": *"(\w+)"', body)
        return b" ".join([b"%d" % status, *codes]).decode()
    answer = json.loads(body)
    if answer["transcript"] != recording.transcript:
        return "another's transcript"
    if answer["text_response"] != dialogue.reply(recording.transcript):
        return "another's reply"
    audio = base64.b64decode(answer["audio"])
    if realtime:
        spoken = av.open(io.BytesIO(audio)).duration / av.time_base
        return "" if abs(spoken - recording.wanted / PCM_RATE) < 0.5 else "speech cut"
    return "" if audio == dialogue.speech(answer["text_response"]) else "another's speech"
