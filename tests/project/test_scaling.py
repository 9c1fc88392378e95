"""docs/scaling.md's table follows from its own formulas and figures."""

import math
import re

from testing.builders import ROOT

DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()
SECONDS, KEPT = 3, 0.75


def test_the_table_of_dynos_follows_from_the_formulas():
    """The larger of what the processor and what the router's limit ask for, with a quarter free."""
    [cost] = re.findall(r"\*\*Processor:\*\* conversations a second . ([\d.]+) ms", DOCUMENT)
    assert f"| processor | {cost} ms for each" in DOCUMENT
    rows = re.findall(r"^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \|$", DOCUMENT, re.M)
    assert len(rows) == 4
    for a_minute, *told in rows:
        rate = int(a_minute.replace(",", "")) / 60
        computed = rate * float(cost) / 1000 / KEPT
        routed = rate * SECONDS / (KEPT * 200)
        dynos = [computed / 2, max(computed / 2, routed), computed / 0.25]
        assert told == [str(math.ceil(number)) for number in dynos], a_minute
