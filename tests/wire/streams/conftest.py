"""An upstream, plain and in TLS, and a transport that trusts it."""

import pytest
from testing import fake_openai as fake

from parley.wire.transport import Transport


@pytest.fixture(params=["http", "https"])
def upstream(request, authority):
    with fake.running(fake.in_tls(authority) if request.param == "https" else None) as running:
        yield running


@pytest.fixture
def made(authority, tmp_path):
    """Makes a transport, once the environment is as a test sets it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return lambda: Transport(pool_size=8, ca_bundle=str(tmp_path / "ca.pem"))


@pytest.fixture
def transport(made):
    return made()
