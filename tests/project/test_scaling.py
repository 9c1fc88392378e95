"""docs/scaling.md tells what the model says."""

import re

from testing.builders import ROOT

import costs
import scaling_table

DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()


def test_the_table_of_dynos_is_the_models():
    """What `benchmarks/scaling_table.py` prints stands between the markers."""
    assert scaling_table.BLOCK.search(DOCUMENT)[2] == scaling_table.table(costs.kept())


def test_the_day_of_the_costs_is_told():
    """The text says when what the table rests on was measured."""
    assert re.search(rf"measured on\s{costs.kept().measured}", DOCUMENT)
