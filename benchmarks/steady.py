"""100 conversations a second, upstream 3 s, two workers: what they add to the upstream's time."""

import asyncio
import statistics
import time

from callers import Outcome, converse, lost, problems
from processes import processor_seconds, watched
from report import hold, measure, quantile, show
from servers import PARLEY, serving, upstream

UPSTREAM_SECONDS = 3.0
RATE, SECONDS = 100, 15


async def steadily(port: int) -> list[Outcome]:
    begun, tasks = time.monotonic(), []
    for number in range(RATE * SECONDS):
        await asyncio.sleep(begun + number / RATE - time.monotonic())
        tasks.append(asyncio.create_task(converse(port)))
    return await asyncio.gather(*tasks)


def main() -> None:
    with upstream(UPSTREAM_SECONDS / 3) as url, serving(PARLEY, url, workers=2) as (port, pid):
        used = processor_seconds(pid)
        with watched(pid) as samples:
            outcomes = asyncio.run(steadily(port))
        used = processor_seconds(pid) - used
    times = [outcome.seconds for outcome in outcomes]
    print(f"{RATE} conversations a second for {SECONDS} s, upstream {UPSTREAM_SECONDS:.0f} s")
    show("median, s", f"{statistics.median(times):.2f}")
    show("median / the upstream's own", f"{statistics.median(times) / UPSTREAM_SECONDS:.3f}")
    show("p95, s", f"{quantile(times, 95):.2f}")
    show("peak PSS, MB", f"{max(samples):.0f}")
    show("processor ms a conversation", f"{1000 * used / len(outcomes):.1f}")
    hold(f"lost {problems(outcomes)}", lost(outcomes), 0)


if __name__ == "__main__":
    measure(main)
