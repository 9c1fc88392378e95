"""A service with shortened time limits, and its upstream."""

import textwrap

import pytest
from testing import fake_openai as fake
from testing.builders import ROOT
from testing.gunicorn_process import serving
from testing.short_limits import IDLE, REQUEST, SILENCE


@pytest.fixture(scope="module")
def upstream():
    with fake.running() as running:
        yield running


@pytest.fixture(scope="module")
def service(upstream, tmp_path_factory):
    """The service with its limits shortened, where gunicorn reads its configuration."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "gunicorn.conf.py").write_text(
        (ROOT / "gunicorn.conf.py").read_text()
        + textwrap.dedent(
            f"""
            from parley.web.serving import connection_limits
            connection_limits.SILENCE_SECONDS = {SILENCE}
            connection_limits.REQUEST_SECONDS = {REQUEST}
            keepalive = {IDLE}
            """
        )
    )
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_CAPACITY": "4"}
    configuration = f"--config={folder / 'gunicorn.conf.py'}"
    with serving(folder / "log", variables, ROOT, configuration) as running:
        yield running
