"""Callers that have conversations, and have every byte of the answers checked."""

import asyncio
import itertools
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import answers
from answers import Kind
from dialogue import Recording

CALLER_SECONDS = 190
PROMISED = re.compile(rb"content-length: *(\d+)", re.I)
NUMBERS = itertools.count()
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Outcome:
    """What a conversation took, and what was wrong with it: nothing, if `problem` is blank."""

    seconds: float
    """To the last byte."""
    problem: str = ""
    first: float = 0
    """Seconds to the first sound; of JSON, to its first byte."""


async def converse(
    port: int,
    *,
    size: int = 100_000,
    wanted: int = 30_000,
    kind: Kind = Kind.JSON,
    fields: Mapping[str, str] = answers.PLAIN,
    connection: Connection | None = None,
) -> Outcome:
    """Send a recording of `size` bytes that wants `wanted` bytes of speech, and check the answer.

    One that wants none gets a long reply (`dialogue`). Without a `connection` to keep, one is
    opened, as part of the time, and closed. The answer is checked after its end, so that the check
    delays nothing.
    """
    recording = Recording(next(NUMBERS), size, wanted)
    begun, first, writer = time.monotonic(), 0.0, None
    received = []
    try:
        async with asyncio.timeout(CALLER_SECONDS):
            reader, writer = connection or await asyncio.open_connection("127.0.0.1", port)
            await _send(writer, recording, fields, kind.value)
            head = await reader.readuntil(b"\r\n\r\n")
            async for piece in _pieces(reader, head):
                received.append(piece)
                if not first and (kind is not Kind.EVENTS or b"event: audio\n" in piece):
                    first = time.monotonic() - begun
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        return Outcome(time.monotonic() - begun, f"no answer ({type(error).__name__})")
    finally:
        if writer and not connection:
            writer.close()
    seconds, status = time.monotonic() - begun, int(head[9:12])
    problem = answers.problem(kind, status, b"".join(received), recording, fields)
    return Outcome(seconds, problem, first or seconds)


async def repeatedly(port: int, callers: int, times: int = 1, **options: Any) -> list[Outcome]:
    """As many callers at once, each with as many conversations, one after the other."""

    async def caller() -> list[Outcome]:
        return [await converse(port, **options) for _ in range(times)]

    nested = await asyncio.gather(*(caller() for _ in range(callers)))
    return list(itertools.chain(*nested))


def lost(outcomes: Iterable[Outcome]) -> int:
    """How many had no right answer."""
    return sum(bool(outcome.problem) for outcome in outcomes)


def problems(outcomes: Iterable[Outcome]) -> str:
    """Each problem, and how often it came."""
    counts = Counter(outcome.problem for outcome in outcomes if outcome.problem)
    return ", ".join(f"{count} times {problem}" for problem, count in counts.most_common())


async def _pieces(reader: asyncio.StreamReader, head: bytes) -> AsyncIterator[bytes]:
    """The body of the answer with this head, in the pieces in which it is sent."""
    if promised := PROMISED.search(head):
        yield await reader.readexactly(int(promised[1]))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


async def _send(
    writer: asyncio.StreamWriter, recording: Recording, fields: Mapping[str, str], accept: str
) -> None:
    """Send the request of a conversation, the recording without holding the whole of it.

    Its boundary is its own, as a real client's is: a server may keep what it compiled for another.
    """
    boundary = secrets.token_hex(12)
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="'
    form = "".join(f'{part}{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    form += f'{part}audio"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
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
