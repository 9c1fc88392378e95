"""An upstream's JSON may hold anything, and none of it is an error of ours."""

import pytest

from parley.upstream.json_values import CONTAINERS, json_in


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        pytest.param(b"[" * (CONTAINERS - 1), id="nested too deeply"),
        pytest.param(b"[%s]" % b",".join([b"{}"] * CONTAINERS), id="too many"),
    ],
)
def test_what_cannot_be_read_is_no_value(body):
    """Whoever looks for a value in it finds none."""
    assert json_in(body) is None
