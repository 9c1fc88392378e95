"""Peak memory (PSS) of two workers, where many bytes are about at once."""

import asyncio

from answers import PCM_RATE, REALTIME
from callers import lost, problems, repeatedly
from processes import pss, tree_of, watched
from report import hold, measure, show
from servers import PARLEY, serving, upstream

PSS_GOAL = 256
KINDS = {
    "16 uploads of 25 MB": (16, {"size": 26_214_400}),
    "20 answers of 5 MB of speech": (20, {"wanted": 5_000_000}),
    "20 of 600 s over the Realtime API": (20, {"wanted": 600 * PCM_RATE, "fields": REALTIME}),
}
PATIENT = {"PARLEY_DEADLINE": "180"}
"""What is measured is memory, not whether a busy machine is in time."""


def main() -> None:
    for name, (count, options) in KINDS.items():
        with (
            upstream(0.3) as url,
            serving(PARLEY, url, workers=2, variables=PATIENT) as (port, pid),
        ):
            idle = pss(*tree_of(pid))
            with watched(pid) as samples:
                outcomes = asyncio.run(repeatedly(port, count, **options))
        print(f"{name} at once, on two workers")
        show("idle PSS, MB", f"{idle:.0f}")
        hold("peak PSS, MB", max(samples), PSS_GOAL)
        show("slowest, s", f"{max(outcome.seconds for outcome in outcomes):.1f}")
        hold(f"lost {problems(outcomes)}", lost(outcomes), 0)


if __name__ == "__main__":
    measure(main)
