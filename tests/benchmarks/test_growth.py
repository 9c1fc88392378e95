"""What measures how a reply grows goes through the product's own code."""

import pytest

import growth


@pytest.mark.parametrize("every", [1, growth.DELTA])
@pytest.mark.parametrize("kind", growth.KINDS)
def test_a_reply_of_each_kind_is_told(kind, every):
    """As a stream tells it; what is told is the reply, or `tell` fails."""
    assert growth.tell(growth.text_of(kind, 2), every) > 0
