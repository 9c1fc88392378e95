"""Draws how a reply's time grows: `draw_growth.py RESULTS.json PICTURE.svg`."""

import json
import sys
from pathlib import Path

import pygal
from draw import LOOK
from pygal.style import Style

COLOURS = (
    *("#1f883d", "#3b82c4", "#b07aa1", "#d98032", "#9aa1a9", "#c0504d"),
    *("#2aa198", "#8064a2", "#b58900", "#586e75", "#d33682", "#6c71c4"),
)


def chart(results: dict[str, dict[str, dict[str, float]]]) -> pygal.Line:
    """A line for each kind of text; dashed where it was written letter by letter."""
    drawing = pygal.Line(
        style=Style(**LOOK, colors=2 * COLOURS),  # Both ways of a kind have one colour.
        js=[],
        title="Processor time for each kB: a flat line is linear\n(dashed: letter by letter)",
        width=960,
        height=640,
        logarithmic=True,
        y_title="ms for each kB",
        x_title="kB of the reply",
    )
    sizes = list(next(iter(results["whole"].values())))
    drawing.x_labels = sizes
    for way, dashes in (("whole", None), ("letter by letter", "4, 4")):
        for kind, times in results[way].items():
            line = [times.get(size) for size in sizes]
            drawing.add(
                kind if dashes is None else None,
                line,
                stroke_style={"dasharray": dashes} if dashes else {},
            )
    return drawing


if __name__ == "__main__":
    source, picture = sys.argv[1:]
    chart(json.loads(Path(source).read_text())).render_to_file(picture)
