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
def served_upstream():
    with fake.running() as running:
        yield running


@pytest.fixture
def upstream(served_upstream):
    """The upstream, which answers as it should until the test says otherwise."""
    served_upstream.answers = {}
    served_upstream.requests.clear()
    return served_upstream


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with served(folder, served_upstream.url, LIMITS, deadline=28) as running:
        yield running
