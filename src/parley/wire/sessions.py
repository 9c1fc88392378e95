"""requests' sessions without what they share between calls."""

from http.cookiejar import DefaultCookiePolicy

import requests

from parley.wire.connections import Adapter


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
