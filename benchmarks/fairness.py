"""How long `/healthz` waits, and what memory it takes, while others send and fetch much.

16 callers upload 25 MB each, 20 have 200 seconds of speech read over the Realtime API and encoded,
and 20 fetch 5 MB of speech, again and again, on two workers. Another process asks for `/healthz`,
over kept connections, which the workers share, and over new ones.
"""

import asyncio
import itertools
import multiprocessing
import statistics
import time
from concurrent.futures import Future, ProcessPoolExecutor

from answers import PCM_RATE, REALTIME
from callers import Connection, Outcome, converse, lost, problems
from processes import watched
from report import hold, measure, quantile, show
from servers import PARLEY, serving, upstream

UPLOADS = (16, {"size": 26_214_400})
ENCODINGS = (20, {"wanted": 200 * PCM_RATE, "fields": REALTIME})
DOWNLOADS = (20, {"wanted": 5_000_000})
LOAD_SECONDS = 8
KEPT, PAUSE = 8, 0.05
PATIENT = {"PARLEY_DEADLINE": "180"}
"""What is measured is who waits, not whether a busy machine is in time."""

MEDIAN_GOAL, P99_GOAL, SLOWEST_GOAL, PSS_GOAL = 50, 100, 500, 384


async def crowd(port: int) -> list[Outcome]:
    """Each caller goes on until LOAD_SECONDS are over, and gets its last answer."""
    end = time.monotonic() + LOAD_SECONDS

    async def caller(options: dict[str, int]) -> list[Outcome]:
        outcomes = []
        while time.monotonic() < end:
            outcomes.append(await converse(port, **options))
        return outcomes

    kinds = (UPLOADS, ENCODINGS, DOWNLOADS)
    callers = [caller(options) for count, options in kinds for _ in range(count)]
    return list(itertools.chain(*await asyncio.gather(*callers)))


def load(port: int) -> list[Outcome]:
    """The crowd, in a process of its own."""
    return asyncio.run(crowd(port))


async def ask(connection: Connection) -> None:
    """Ask once for `/healthz`."""
    reader, writer = connection
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(size)


async def probe(port: int, crowd: "Future[list[Outcome]]") -> tuple[list[float], list[float]]:
    """Milliseconds of each `/healthz` while the crowd was there, and of the machine's own delays.

    The latter are how much longer than asked this process, which does nothing else, slept.
    """
    times, delays = [], []

    async def prober(*, kept: bool) -> None:
        connection = None
        while not crowd.done():
            begun = time.monotonic()
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            await ask(connection)
            times.append(1000 * (time.monotonic() - begun))
            if not kept:
                connection[1].close()
                connection = None
            begun = time.monotonic()
            await asyncio.sleep(PAUSE)
            delays.append(1000 * (time.monotonic() - begun - PAUSE))

    await asyncio.gather(*(prober(kept=number < KEPT) for number in range(KEPT + 1)))
    return times, delays


def main() -> None:
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn) as pool,
        upstream(0.1) as url,
        serving(PARLEY, url, workers=2, variables=PATIENT) as (port, pid),
        watched(pid) as samples,
    ):
        crowd = pool.submit(load, port)
        times, delays = asyncio.run(probe(port, crowd))
        outcomes = crowd.result()
    print("16 uploads of 25 MB, 20 encodings of 200 s, 20 answers of 5 MB, on two workers")
    show("conversations, and times /healthz was asked", len(outcomes), len(times))
    show(
        "the machine's own delays, p99 and slowest, ms",
        *(f"{each:.0f}" for each in (quantile(delays, 99), max(delays))),
    )
    hold("/healthz median, ms", statistics.median(times), MEDIAN_GOAL)
    hold("/healthz p99, ms", quantile(times, 99), P99_GOAL)
    hold("/healthz slowest, ms", max(times), SLOWEST_GOAL)
    hold("peak PSS, MB", max(samples), PSS_GOAL)
    hold(f"lost {problems(outcomes)}", lost(outcomes), 0)


if __name__ == "__main__":
    measure(main)
