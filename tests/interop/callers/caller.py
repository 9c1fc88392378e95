"""Send a recording as one of Python's clients does, and print what came back.

`python caller.py CLIENT URL ACCEPT FILE`; the status goes to standard error, and a parser's events
are written out again.
"""

import asyncio
import os
import sys
from pathlib import Path

CLIENT, URL, ACCEPT, *FILE = sys.argv[1:]
HEADERS = {"Accept": ACCEPT, "X-OpenAI-API-Key": os.environ["KEY"]}


def told(status: int, body: bytes) -> None:
    sys.stderr.write(f"{status}\n")
    sys.stdout.buffer.write(body)


def write(event: str, data: str) -> None:
    sys.stdout.write(f"event: {event}\ndata: {data}\n\n")


def httpx_sse() -> None:
    import httpx  # noqa: PLC0415  # Each client needs its own packages alone.
    from httpx_sse import SSEError, connect_sse  # noqa: PLC0415

    files = [("audio", ("question.wav", Path(name).read_bytes())) for name in FILE]
    options = {"headers": HEADERS, "files": files or None, "data": {"voice": "nova"}}
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        connect_sse(client, "POST", URL, **options) as source,
    ):
        try:
            events = [*source.iter_sse()]
        except SSEError:
            told(source.response.status_code, source.response.read())
            return
        told(source.response.status_code, b"")
        for event in events:
            write(event.event, event.data)


async def aiohttp() -> None:
    import aiohttp  # noqa: PLC0415

    form = aiohttp.FormData()
    for name in FILE:
        form.add_field("audio", Path(name).open("rb"), filename="question.wav")  # noqa: SIM115
    form.add_field("voice", "nova")
    async with (
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(URL, data=form) as answer,
    ):
        told(answer.status, await answer.read())


if CLIENT == "httpx-sse":
    httpx_sse()
else:
    asyncio.run(aiohttp())
