"""What the tests of the wire share."""

import pytest

from parley.wire.transport import Transport


@pytest.fixture
def transport() -> Transport:
    return Transport(pool_size=8)
