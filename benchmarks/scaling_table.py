"""The table of dynos in docs/scaling.md, by the model; `--write` puts it there."""

import re
import sys
from pathlib import Path

from costs import Costs, kept
from dyno_model import Dyno
from plan import Figures, Limits, Load, least

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
BLOCK = re.compile(r"(<!-- BEGIN: DYNOS -->\n)(.*)(<!-- END: DYNOS -->)", re.DOTALL)

CONVERSATIONS = 2_000
"""Of each simulation; a table that a test makes anew should take seconds."""

RATES = (10, 1_000, 10_000, 100_000)
STAGES = (0.5, 1.5, 1.0)
SPREAD = 0.3
HEROKU = 200
KINDS = {
    "two cores": (Dyno(workers=2, cores=2, capacity=1000), Limits()),
    "two cores, the router sends 200": (
        Dyno(workers=2, cores=2, capacity=1000),
        Limits(in_flight=HEROKU),
    ),
    "a quarter of a core": (Dyno(workers=2, cores=1, core=0.25, capacity=1000), Limits()),
}


def table(costs: Costs) -> str:
    """The table in Markdown."""
    kinds = " | ".join(KINDS)
    lines = [f"| conversations a minute | {kinds} |", "|---" * (len(KINDS) + 1) + "|"]
    for rate in RATES:
        load = Load(rate, STAGES, SPREAD)
        found = [least(load, dyno, limits, costs, CONVERSATIONS) for dyno, limits in KINDS.values()]
        lines.append(f"| {rate:,} | {' | '.join(map(cell, found))} |")
    return "\n".join(lines) + "\n"


def cell(each: Figures) -> str:
    """How many dynos, and what each of them then does."""
    return (
        f"**{each.dynos:,}**: {each.busy:.0%} busy, {each.in_flight:,} in flight, "
        f"{each.memory_mb:.0f} MB, {each.added[0]:.0f} ms added (p99 {each.added[1]:.0f})"
    )


def main() -> None:
    made = table(kept())
    print(made, end="")
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(
            BLOCK.sub(lambda block: block[1] + made + block[3], DOCUMENT.read_text())
        )


if __name__ == "__main__":
    main()
