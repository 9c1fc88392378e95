"""1,000 conversations in flight at once, then 100 a second: losses, memory, latency, processor.

Uploads of 100 KB, an upstream that takes 3 seconds, two workers.
"""

import asyncio
import statistics
import time

from bench import (
    converse,
    processor_seconds,
    pss,
    quantile,
    request,
    serving,
    show,
    tree_of,
    upstream,
    watched,
)

UPSTREAM_SECONDS = 3.0
IN_FLIGHT = 1000
RATE, SECONDS = 100, 20


async def all_at_once(port: int) -> list[tuple[int, float]]:
    sent = request(100_000)
    return await asyncio.gather(*(converse(port, sent) for _ in range(IN_FLIGHT)))


async def steadily(port: int) -> list[tuple[int, float]]:
    sent, begun = request(100_000), time.monotonic()
    tasks = []
    for number in range(RATE * SECONDS):
        await asyncio.sleep(begun + number / RATE - time.monotonic())
        tasks.append(asyncio.create_task(converse(port, sent)))
    return await asyncio.gather(*tasks)


with upstream(UPSTREAM_SECONDS / 3) as url, serving(url, workers=2) as (port, pid):
    idle = pss(*tree_of(pid))
    with watched(pid) as samples:
        results = asyncio.run(all_at_once(port))
    peak = max(samples)
    print(f"{IN_FLIGHT} in flight at once, upstream {UPSTREAM_SECONDS:.0f} s")
    show(
        ("lost", sum(status != 200 for status, _ in results)),
        ("peak PSS, MB", f"{peak:.0f}"),
        ("KB per conversation in flight", f"{1024 * (peak - idle) / IN_FLIGHT:.0f}"),
        ("slowest, s", f"{max(seconds for _, seconds in results):.2f}"),
    )
with upstream(UPSTREAM_SECONDS / 3) as url, serving(url, workers=2) as (port, pid):
    used = processor_seconds(*tree_of(pid))
    with watched(pid) as samples:
        results = asyncio.run(steadily(port))
    used = processor_seconds(*tree_of(pid)) - used
    times = [seconds for _, seconds in results]
    print(f"{RATE} conversations a second for {SECONDS} s, upstream {UPSTREAM_SECONDS:.0f} s")
    show(
        ("lost", sum(status != 200 for status, _ in results)),
        ("median, s", f"{statistics.median(times):.2f}"),
        ("median / upstream's own", f"{statistics.median(times) / UPSTREAM_SECONDS:.3f}"),
        ("95 %, s", f"{quantile(times, 95):.2f}"),
        ("peak PSS, MB", f"{max(samples):.0f}"),
        ("processor ms per conversation", f"{1000 * used / len(results):.1f}"),
    )
