"""What the tests of the served service share: an upstream and a service for all of a file."""

from contextlib import ExitStack

import pytest
from testing import fake_openai as fake
from testing.gunicorn_process import ROOT, serving


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


@pytest.fixture
def serve(upstream, tmp_path):
    """Serves with these variables and arguments of gunicorn's, before the upstream, for a test."""
    with ExitStack() as opened:

        def serve(*arguments, app="wsgi:app", port=None, under=(), **variables):
            variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, **variables}
            how = {"app": app, "port": port, "under": under}
            running = serving(tmp_path / "log", variables, ROOT, *arguments, **how)
            return opened.enter_context(running)

        yield serve
