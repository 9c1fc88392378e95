"""What a bare SIGTERM loses, without a balancer that drains first: five stops under steady load.

Lost is who was connected and got no answer; refused is who came later, and may go elsewhere.
"""

import asyncio
import os
import signal
from collections import Counter

from callers import converse
from report import hold, measure, show
from servers import PARLEY, serving, upstream

STOPS, RATE = 5, 50


async def stop_under_load(port: int, pid: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()

    async def caller() -> None:
        try:
            connection = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            outcomes["refused"] += 1
            return
        outcome = await converse(port, size=20_000, connection=connection)
        outcomes["lost" if outcome.problem else "answered"] += 1
        connection[1].close()

    tasks = []
    for number in range(2 * RATE):  # For two seconds, with the signal in the middle.
        if number == RATE:
            os.kill(pid, signal.SIGTERM)
        tasks.append(asyncio.create_task(caller()))
        await asyncio.sleep(1 / RATE)
    await asyncio.gather(*tasks)
    return outcomes


def main() -> None:
    totals: Counter[str] = Counter()
    with upstream(0.1) as url:
        for _ in range(STOPS):
            with serving(PARLEY, url, workers=2) as (port, pid):
                totals += asyncio.run(stop_under_load(port, pid))
    print(f"{STOPS} bare SIGTERMs at {RATE} conversations a second")
    show("answered", totals["answered"])
    show("refused", totals["refused"])
    hold("lost", totals["lost"], 0)


if __name__ == "__main__":
    measure(main)
