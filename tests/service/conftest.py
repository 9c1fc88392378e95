"""What the tests of the served service share: an upstream and a service for all of a file."""

import pytest
from testing import fake_openai as fake
from testing.gunicorn_process import serving


@pytest.fixture(scope="module")
def served_upstream():
    """An upstream that outlives a test, for a service that does."""
    with fake.running() as running:
        yield running


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    """The service, with four slots in one worker."""
    variables = {"PARLEY_OPENAI_BASE_URL": served_upstream.url, "PARLEY_CAPACITY": "4"}
    with serving(tmp_path_factory.mktemp("service") / "log", variables) as running:
        yield running
