"""What a bare SIGTERM loses, without a balancer that drains first: five stops under steady load.

Lost is who was connected and got no answer; refused is who came later, and may go elsewhere.
"""

import asyncio
import os
import signal
from collections import Counter

from bench import converse, request, serving, show, upstream

STOPS, RATE = 5, 50


async def stop_under_load(port: int, pid: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    sent = request(20_000)

    async def caller() -> None:
        try:
            connection = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            outcomes["refused"] += 1
            return
        status, _ = await converse(port, sent, connection)
        outcomes["answered" if status == 200 else "lost"] += 1
        connection[1].close()

    tasks = []
    for number in range(2 * RATE):  # For two seconds, with the signal in the middle.
        if number == RATE:
            os.kill(pid, signal.SIGTERM)
        tasks.append(asyncio.create_task(caller()))
        await asyncio.sleep(1 / RATE)
    await asyncio.gather(*tasks)
    return outcomes


totals: Counter[str] = Counter()
with upstream(0.1) as url:
    for _ in range(STOPS):
        with serving(url, workers=2) as (port, pid):
            totals += asyncio.run(stop_under_load(port, pid))
print(f"{STOPS} bare SIGTERMs at {RATE} conversations a second")
show(*((name, totals[name]) for name in ("answered", "lost", "refused")))
