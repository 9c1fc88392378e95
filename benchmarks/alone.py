"""One conversation at a time, upstream 0 s: processor time and latency, ours beside FastAPI's.

The two take turns on kept connections, so that what else the machine does falls on both.
"""

import asyncio
import json
import statistics
import time
from urllib.parse import urlsplit

import dialogue
from callers import PROMISED, Outcome, converse, lost, problems
from processes import processor_seconds
from report import hold, measure, quantile, show
from servers import FASTAPI, PARLEY, serving, upstream

TURNS, CONVERSATIONS = 6, 50
PROCESSOR_GOAL = 0.85


async def upstreams_own(port: int) -> list[float]:
    """Milliseconds of the three calls, made by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for number in range(TURNS * CONVERSATIONS):
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


async def turn(port: int) -> list[Outcome]:
    connection = await asyncio.open_connection("127.0.0.1", port)
    outcomes = [await converse(port, connection=connection) for _ in range(CONVERSATIONS)]
    connection[1].close()
    return outcomes


def main() -> None:
    services = (PARLEY, FASTAPI)
    outcomes: dict[str, list[Outcome]] = {service.name: [] for service in services}
    used = dict.fromkeys(outcomes, 0.0)
    with upstream(0) as url, serving(PARLEY, url) as ours, serving(FASTAPI, url) as theirs:
        own = statistics.median(asyncio.run(upstreams_own(urlsplit(url).port)))
        for number in range(TURNS + 1):
            for service, (port, pid) in zip(services, (ours, theirs), strict=True):
                before = processor_seconds(pid)
                results = asyncio.run(turn(port))
                if number:  # The first turn warms up.
                    used[service.name] += processor_seconds(pid) - before
                    outcomes[service.name] += results
    print(f"One at a time, {TURNS * CONVERSATIONS} conversations of 100 KB, upstream 0 s")
    show("", *(service.name.split()[0] for service in services))
    processor = [1000 * used[name] / len(outcomes[name]) for name in outcomes]
    times = [[1000 * outcome.seconds - own for outcome in outcomes[name]] for name in outcomes]
    medians = [statistics.median(each) for each in times]
    show("ms added to the upstream's own, median", *(f"{median:.1f}" for median in medians))
    show("ms added to the upstream's own, p99", *(f"{quantile(each, 99):.1f}" for each in times))
    show("processor ms a conversation", *(f"{each:.2f}" for each in processor))
    show("the upstream's own ms, by hand", f"{own:.1f}")
    show("latency / FastAPI's", f"{medians[0] / medians[1]:.2f}")
    hold("processor / FastAPI's", processor[0] / processor[1], PROCESSOR_GOAL, 2)
    for name, each in outcomes.items():
        hold(f"lost by {name.split()[0]} {problems(each)}", lost(each), 0)


if __name__ == "__main__":
    measure(main)
