"""Connections that 1,000 conversations, 8 at a time, open to an upstream that speaks TLS."""

import json
import ssl
import tempfile
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import certifi
import trustme

from callers import repeatedly
from comparison.record import Record
from comparison.turns import measured, taken, together
from servers import SERVICES, upstream

CALLERS, TIMES = 8, 125


def measure(record: Record, _: int) -> None:
    """Count them once: a count does not swing as times do."""
    with tempfile.TemporaryDirectory() as folder:
        authority, certificate = Path(folder, "authority.pem"), Path(folder, "certificate.pem")
        issuer = trustme.CA()
        # Beside all that are usually trusted, which take their time to load.
        authority.write_bytes(Path(certifi.where()).read_bytes() + issuer.cert_pem.bytes())
        issuer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        tls = ssl.create_default_context(cafile=authority)
        trusting = {"REQUESTS_CA_BUNDLE": str(authority), "SSL_CERT_FILE": str(authority)}
        with (
            upstream(0, certificate=certificate) as url,
            together(record, SERVICES, url, variables=trusting) as services,
        ):

            def count() -> int:
                with urlopen(f"{url}/connections", context=tls) as answer:  # noqa: S310  # Our own.
                    return json.load(answer)

            for _, each in taken("1,000 conversations over TLS", services, 1):
                before = count()
                kind = each.service.kind
                load = partial(repeatedly, callers=CALLERS, times=TIMES, kind=kind)
                answered, used = measured(record, each, "over TLS", load)
                opened = count() - before - 1  # The last question's own.
                if answered:
                    record.add(each.name, connections=opened, tls_processor=used)
