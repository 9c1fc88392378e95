"""requests' adapter and urllib3's pools for our connections."""

from collections.abc import Mapping
from typing import Any
from urllib.request import getproxies

from requests import Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.util import Retry

from parley.wire.connections import PlainConnection, Resolve, TLSConnection
from parley.wire.sockets import tls_context


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = TLSConnection


class Adapter(HTTPAdapter):
    """requests' adapter for these connections; all share the trusted certificates."""

    def __init__(
        self, resolve: Resolve, through_proxy: Resolve, ca_bundle: str, hosts: int, idle: int
    ) -> None:
        """Keep up to `idle` idle connections to each of the last `hosts` hosts.

        `resolve` gives the addresses of hosts, `through_proxy` those of proxies. The certificates
        in the file `ca_bundle` are trusted. Raises OSError if it cannot be read.
        """
        self._resolve, self._through_proxy = resolve, through_proxy
        self._tls = tls_context(ca_bundle)
        super().__init__(hosts, idle, max_retries=Retry(False))

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        options |= {"ssl_context": self._tls, "resolve": self._resolve}
        super().init_poolmanager(*arguments, **options)
        _equip(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make or find the pools of connections through a proxy."""
        options |= {"ssl_context": self._tls, "proxy_ssl_context": self._tls}
        options["resolve"] = self._through_proxy
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        _equip(manager)
        return manager

    def cert_verify(self, *_: object) -> None:
        """Leave the certificates to the context: requests would read the file anew for each one."""


class PreparedSession(Session):
    """A session for prepared requests. It prepares none itself: no cookie and no .netrc is sent."""

    def __init__(self, adapter: Adapter) -> None:
        """Send every request through the adapter."""
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, adapter)
        # To look for proxies before each call takes a tenth of its time.
        self.trust_env = bool(getproxies())

    def get_redirect_target(self, resp: Response) -> None:
        """Take no answer for a redirect: requests would read its body, however long."""


def _equip(manager: PoolManager) -> None:
    manager.key_fn_by_scheme = {"http": _origin, "https": _origin}  # type: ignore[dict-item]
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}


def _origin(pool: Mapping[str, Any]) -> tuple[str, str, int]:
    """What tells a manager's pools apart; urllib3 compares every option of theirs."""
    return pool["scheme"], pool["host"], pool["port"]
