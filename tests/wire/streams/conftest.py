"""An upstream, plain and in TLS, and a transport that trusts it."""

import ssl

import pytest
import trustme
from testing import fake_openai as fake

from parley.wire.transport import Transport


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def upstream(request, authority):
    tls = None
    if request.param == "https":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
    with fake.running(tls) as running:
        yield running


@pytest.fixture
def transport(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return Transport(pool_size=8, ca_bundle=str(tmp_path / "ca.pem"))
