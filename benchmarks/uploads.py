"""Memory of 16 uploads of 25 MB at once through two workers: the peak of the process tree."""

import asyncio

from bench import converse, pss, request, serving, show, tree_of, upstream, watched


async def all_at_once(port: int) -> list[tuple[int, float]]:
    sent = request(26_214_400)
    return await asyncio.gather(*(converse(port, sent) for _ in range(16)))


with upstream(0.3) as url, serving(url, workers=2) as (port, pid):
    idle = pss(*tree_of(pid))
    with watched(pid) as samples:
        results = asyncio.run(all_at_once(port))
    print("16 uploads of 25 MB at once")
    show(
        ("lost", sum(status != 200 for status, _ in results)),
        ("PSS idle, MB", f"{idle:.0f}"),
        ("PSS peak, MB", f"{max(samples):.0f}"),
        ("slowest, s", f"{max(seconds for _, seconds in results):.1f}"),
    )
