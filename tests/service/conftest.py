"""What the tests of the served service share: an upstream and a service for all of a file."""

from contextlib import ExitStack, contextmanager

import pytest
from testing.gunicorn_process import ROOT, serving


@contextmanager
def served_before(upstream, folder):
    """Serves with variables and arguments of gunicorn's, before the upstream, until the end."""
    with ExitStack() as opened:

        def serve(*arguments, app="wsgi:app", port=None, under=(), **variables):
            variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, **variables}
            how = {"app": app, "port": port, "under": under}
            log_file = folder / f"log-{len([*folder.iterdir()])}"
            running = serving(log_file, variables, ROOT, *arguments, **how)
            return opened.enter_context(running)

        yield serve


@pytest.fixture(scope="module")
def serve_all(served_upstream, tmp_path_factory):
    """Serves for all tests of a file."""
    with served_before(served_upstream, tmp_path_factory.mktemp("service")) as serve:
        yield serve


@pytest.fixture(scope="module")
def service(serve_all):
    """The service, with four slots in one worker."""
    return serve_all(PARLEY_CAPACITY="4")


@pytest.fixture
def serve(upstream, tmp_path):
    """Serves for one test."""
    with served_before(upstream, tmp_path) as serve:
        yield serve
