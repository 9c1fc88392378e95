"""What the tests of the wire share: transports that trust the tests' authority."""

import pytest

from parley.wire.transport import Transport


@pytest.fixture
def made(authority, tmp_path):
    """Makes a transport, once the environment is as a test sets it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return lambda: Transport(pool_size=8, ca_bundle=str(tmp_path / "ca.pem"))


@pytest.fixture
def transport(made):
    return made()
