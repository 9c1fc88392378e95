"""One conversation at a time, and 8, upstream 0 s: processor time and latency."""

import asyncio
import itertools
import json
import statistics
import time
from functools import partial
from urllib.parse import urlsplit

import dialogue
from answers import Kind
from callers import PROMISED, Outcome, converse
from comparison.record import Record
from comparison.turns import measured, taken, together
from report import quantile
from servers import SERVICES, upstream

TIMES = {1: 100, 8: 15}
"""By how many callers there are, how many conversations each has in a turn."""


def measure(record: Record, turns: int) -> None:
    """Milliseconds for a conversation, beyond what the upstream's three calls take by hand."""
    with upstream(0) as url, together(record, SERVICES, url) as services:
        own = statistics.median(asyncio.run(upstreams_own(urlsplit(url).port)))
        for callers, times in TIMES.items():
            where = f"{callers} at a time"
            for turn, each in taken(where, services, turns, warm=True):
                load = partial(on_kept, callers=callers, times=times, kind=each.service.kind)
                answered, used = measured(record, each, where, load)
                if not turn or not answered:
                    continue
                added = [1000 * outcome.seconds - own for outcome in answered]
                figures = {
                    f"processor_{callers}": used,
                    f"added_median_{callers}": statistics.median(added),
                    f"added_p99_{callers}": quantile(added, 99),
                }
                record.add(each.name, **figures)


async def on_kept(port: int, *, callers: int, times: int, kind: Kind) -> list[Outcome]:
    """As many callers at once, each on a connection that it keeps; a lost one is replaced."""

    async def caller() -> list[Outcome]:
        outcomes: list[Outcome] = []
        connection = None
        while len(outcomes) < times:
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", port)
            except OSError as error:
                outcomes.append(Outcome(0, f"no answer ({type(error).__name__})"))
                continue
            outcomes.append(await converse(port, kind=kind, connection=connection))
            if outcomes[-1].problem:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()
        return outcomes

    return list(itertools.chain(*await asyncio.gather(*(caller() for _ in range(callers)))))


async def upstreams_own(port: int) -> list[float]:
    """Milliseconds of the three calls, made by hand, for each of 100 conversations."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for number in range(100):
        recording = dialogue.Recording(number, 100_000, 30_000)
        text = dialogue.reply(recording.transcript)
        bodies = {
            "transcriptions": b"".join(recording.pieces()),
            "completions": json.dumps({"messages": [{"content": recording.transcript}]}).encode(),
            "speech": json.dumps({"input": text}).encode(),
        }
        begun = time.monotonic()
        for path, body in bodies.items():
            head = f"POST /v1/{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(PROMISED.search(answer)[1]))
        times.append(1000 * (time.monotonic() - begun))
    writer.close()
    return times
