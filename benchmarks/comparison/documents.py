"""A comparison as the documents tell it: tables in Markdown, written between markers."""

import re
from pathlib import Path

from comparison.figures import FIGURES
from comparison.goals import GOALS
from comparison.results import medians

BLOCK = re.compile(r"(<!-- BEGIN: comparison -->\n).*?(<!-- END: comparison -->)", re.DOTALL)
OURS = "Parley"


def cells(results: dict) -> list[list[str]]:
    """The table: a header, then for each figure its title and each service's median.

    A peer's has its ratio to ours. What was not measured, or failed, is a dash.
    """
    services = results["services"]
    rows = [["", *services]]
    for key, by_service in medians(results).items():
        figure = FIGURES[key]
        row = [figure.title]
        for service in services:
            if service not in by_service:
                row.append("–")
                continue
            value, ours = by_service[service], by_service.get(OURS)
            told = f"{value:,.{figure.digits}f}"
            if figure.relative and ours and service != OURS:
                told += f" ({value / ours:.1f} ×)"
            row.append(told)
        rows.append(row)
    order = [figure.title for figure in FIGURES.values()]
    return [rows[0], *sorted(rows[1:], key=lambda row: order.index(row[0]))]


def goals(results: dict) -> list[list[str]]:
    """Each goal, what was measured, and whether that reaches it."""
    known = medians(results)
    rows = [["goal", "at most", "measured", ""]]
    for goal in GOALS:
        figure = goal.figure(known)
        measured = ["–", "not measured"]
        if figure is not None:
            reached = "reached" if figure <= goal.limit else "missed"
            measured = [f"{figure:.{goal.digits}f}", reached]
        rows.append([goal.name, f"{goal.limit:g}", *measured])
    return rows


def failures(results: dict) -> list[str]:
    """What each service did not do."""
    return [f"{name}: {what}" for name, each in results["failures"].items() for what in each]


def block(results: dict) -> str:
    """All that docs/performance.md tells of a run."""
    intro = (
        f"Measured on {results['day']} on {results['cores']} cores with {results['memory_gb']} GB,"
        f" Python {results['python']}. Medians of {results['turns']} turns; in parentheses the"
        " ratio to Parley's."
    )
    parts = [
        intro,
        markdown(cells(results)),
        markdown(goals(results)),
    ]
    if failed := failures(results):
        parts.append("What was lost:\n\n" + "\n".join(f"- {each}" for each in failed))
    return "\n\n".join(parts)


def markdown(rows: list[list[str]]) -> str:
    """Rows as a table in Markdown, the first as its header."""
    rule = ["---"] * len(rows[0])
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def write(results: dict, document: Path) -> None:
    """Write the run into the document, between its markers."""
    text = document.read_text()
    written = BLOCK.sub(lambda found: f"{found[1]}{block(results)}\n{found[2]}", text)
    document.write_text(written)
