"""Draws a comparison: `draw.py RESULTS.json PICTURE.svg`, in an environment of its own."""

import json
import sys
from pathlib import Path

import pygal
from pygal.style import Style

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comparison.figures import FIGURES  # The path must be set first.
from comparison.results import medians

DRAWN = (
    *("processor_1", "crowd_processor", "added_median_1", "crowd_p99"),
    *("crowd_pss", "first_50", "start"),
)
GREY = "#737a83"
"""As legible on white as on black, since a picture does not know what it lies on."""

COLOURS = {
    "Parley": "#1f883d",
    "FastAPI, AsyncOpenAI": "#3b82c4",
    "VoicePipeline": "#b07aa1",
    "Flask, SDK": "#d98032",
    "floor": "#9aa1a9",
}
ROOM_FOR_FIGURES = 1.12
"""How much longer than the longest bar the axis is."""

FAINT = "rgba(115, 122, 131, .35)"
BESIDE_BARS = f".text-overlay text.value {{ fill: {GREY}; text-anchor: start !important; }}"
LOOK = {
    **dict.fromkeys(("background", "plot_background"), "transparent"),
    **dict.fromkeys(("foreground", "foreground_strong"), GREY),
    **dict.fromkeys(("foreground_subtle", "guide_stroke_color", "major_guide_stroke_color"), FAINT),
    "font_family": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
}
"""What all pictures have in common: they are seen on light pages and on dark ones."""


def chart(results: dict) -> pygal.HorizontalBar:
    """Each figure as bars: as long as its ratio to Parley's, with the figure itself beside them."""
    known = medians(results)
    style = Style(
        **LOOK,
        guide_stroke_dasharray="1,0",
        major_guide_stroke_dasharray="1,0",
        colors=[COLOURS[service] for service in results["services"]],
        opacity="1",
        label_font_size=14,
        major_label_font_size=14,
        legend_font_size=14,
        title_font_size=18,
        value_font_size=12,
        value_colors=[GREY] * len(results["services"]),
    )
    drawing = pygal.HorizontalBar(
        style=style,
        css=["file://style.css", "file://graph.css", f"inline:{BESIDE_BARS}"],
        js=[],
        title=(
            "Beside Parley (1 ×): shorter is better\n"
            f"{results['day']}, {results['cores']} cores, {results['memory_gb']} GB"
        ),
        width=960,
        height=960,
        margin=16,
        margin_bottom=40,
        spacing=12,
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        print_values=True,
        print_values_position="top",
        show_y_guides=False,
        value_formatter=lambda ratio: f"{ratio:g} ×",
        truncate_label=-1,
        truncate_legend=-1,
    )
    drawn = [key for key in reversed(DRAWN) if "Parley" in known.get(key, {})]
    drawing.x_labels = [FIGURES[key].name for key in drawn]
    longest = 1.0
    for service in results["services"]:
        bars = []
        for key in drawn:
            value = known[key].get(service)
            told = f"{value:,.{FIGURES[key].digits}f} {FIGURES[key].unit}" if value else ""
            ratio = value / known[key]["Parley"] if value else None
            bars.append({"value": ratio, "formatter": lambda _, told=told: told})
        drawing.add(service, bars)
        longest = max([longest, *(bar["value"] or 0 for bar in bars)])
    drawing.range = (0, ROOM_FOR_FIGURES * longest)
    return drawing


if __name__ == "__main__":
    source, picture = sys.argv[1:]
    chart(json.loads(Path(source).read_text())).render_to_file(picture)
