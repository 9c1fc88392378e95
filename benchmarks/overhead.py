"""Milliseconds that the service adds to its upstream's own time, beside the same chain on the SDK.

The median of 300 conversations of 100 KB each, one at a time, on a kept connection; the two take
turns, so that what else the machine does falls on both.
"""

import asyncio
import statistics
import time
from urllib.parse import urlsplit

from bench import PROMISED, ROOT, SDK, converse, quantile, request, serving, show, upstream

TURNS, CONVERSATIONS = 6, 50


async def upstreams_own(port: int) -> list[float]:
    """Milliseconds of the three calls, made by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for _ in range(TURNS * CONVERSATIONS):
        begun = time.monotonic()
        for path, size in (("transcriptions", 100_400), ("completions", 250), ("speech", 90)):
            head = f"POST /v1/{path} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n"
            writer.write(head.encode() + bytes(size))
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(PROMISED.search(answer)[1]))
        times.append(1000 * (time.monotonic() - begun))
    writer.close()
    return times


async def measure(ports: list[int], own: float) -> list[list[float]]:
    sent = request(100_000)
    connections = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
    added: list[list[float]] = [[] for _ in ports]
    for turn in range(TURNS + 1):
        for port, connection, times in zip(ports, connections, added, strict=True):
            for _ in range(CONVERSATIONS):
                status, seconds = await converse(port, sent, connection)
                assert status == 200
                if turn:  # The first turn warms up.
                    times.append(1000 * seconds - own)
    return added


with (
    upstream(0) as url,
    serving(url) as (parley, _),
    serving(url, *SDK, tree=ROOT / "benchmarks" / "sdk_app") as (sdk, _),
):
    print(f"ms added to the upstream's own, of {TURNS * CONVERSATIONS}: median, 95 %")
    own = statistics.median(asyncio.run(upstreams_own(urlsplit(url).port)))
    show(("the upstream's own, by hand", f"{own:.1f}"))
    medians = []
    measured = asyncio.run(measure([parley, sdk], own))
    for name, times in zip(("Parley", "the SDK"), measured, strict=True):
        medians.append(statistics.median(times))
        show((name, f"{medians[-1]:.1f}", f"{quantile(times, 95):.1f}"))
    show(("Parley / the SDK", f"{medians[0] / medians[1]:.2f}"))
