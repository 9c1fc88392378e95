"""docs/performance.md and its picture tell the committed run, and nothing else."""

import json
import re

from testing.builders import ROOT

from comparison import documents
from comparison.figures import FIGURES
from comparison.results import medians

RESULTS = json.loads((ROOT / "benchmarks" / "results" / "comparison.json").read_text())
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()
PICTURE = (ROOT / "docs" / "comparison.svg").read_text()


def test_the_documented_figures_are_the_runs():
    [found] = documents.BLOCK.finditer(PERFORMANCE)
    assert found[0] == f"{found[1]}{documents.block(RESULTS)}\n{found[2]}"


def test_every_figure_was_measured():
    """The run has all figures, in ours, and no service is left out of all."""
    known = medians(RESULTS)
    assert set(known) == set(FIGURES)
    ours = {key for key in known if "Parley" in known[key]}
    assert ours == {key for key in FIGURES if not key.startswith("fitting")}  # It has no threads.
    assert set(RESULTS["services"]) == set().union(*known.values())


def test_the_picture_is_of_the_run():
    """README.md and docs/performance.md show a picture with the run's day and its figures."""
    assert "(docs/comparison.svg)" in (ROOT / "README.md").read_text()
    assert "(comparison.svg)" in PERFORMANCE
    assert f"{RESULTS['day']}, {RESULTS['cores']} cores, {RESULTS['memory_gb']} GB" in PICTURE
    shown = re.findall(r'class="value"[^>]*>([^<]+)<', PICTURE)
    assert len(shown) > 20
    told = {
        f"{value:,.{FIGURES[key].digits}f} {FIGURES[key].unit}"
        for key, by_service in medians(RESULTS).items()
        for value in by_service.values()
    }
    assert set(shown) <= told
