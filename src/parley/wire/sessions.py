"""requests' sessions without what they share between calls, and their errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3

from parley.errors import UpstreamMalformed, UpstreamTimeout, UpstreamUnavailable
from parley.wire.connections import Adapter

BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    HTTPException,
    OSError,
)
"""What requests and the layers below it raise when an exchange fails."""


class Session(requests.Session):
    """Connections of its own, and nothing else that one call leaves to the next."""

    def __init__(self, pool_size: int, ca_bundle: str) -> None:
        """Keep up to `pool_size` idle connections; raise OSError if the bundle cannot be read."""
        super().__init__()
        adapter = Adapter(pool_size, ca_bundle)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Ignores the passwords in .netrc; the transport reads the proxy variables instead.
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests reads a redirect's body whole, without a limit, even if not to follow."""


@contextmanager
def errors_translated() -> Iterator[None]:
    """Raise UpstreamTimeout, UpstreamMalformed or UpstreamUnavailable for foreign errors.

    Their texts, which may quote a key, are left behind.
    """
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise UpstreamTimeout() from None
    except (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError):
        raise UpstreamMalformed() from None
    except BROKEN:
        raise UpstreamUnavailable() from None
