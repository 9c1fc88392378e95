"""A service with shortened time limits, and its upstream."""

import pytest
from testing import fake_openai as fake
from testing.served_streams import served
from testing.short_limits import IDLE, REQUEST, SILENCE

LIMITS = f"""
connection_limits.SILENCE_SECONDS = {SILENCE}
connection_limits.REQUEST_SECONDS = {REQUEST}
keepalive = {IDLE}
"""


@pytest.fixture(scope="module")
def upstream():
    with fake.running() as running:
        yield running


@pytest.fixture(scope="module")
def service(upstream, tmp_path_factory):
    with served(tmp_path_factory.mktemp("service"), upstream.url, LIMITS, deadline=28) as running:
        yield running
