"""requests' adapter and urllib3's pools, which make our connections and give each `resolve`."""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any
from urllib.request import getproxies

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry, Timeout

from parley.wire.connections import PlainConnection, Resolve, TLSConnection
from parley.wire.sockets import tls_context

# What tells a manager's pools apart; urllib3 would compare every option of theirs.
ORIGIN = itemgetter("scheme", "host", "port")
NO_TIMEOUT = Timeout(connect=None, read=None)  # Deadlines end what takes too long.


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = TLSConnection


class Adapter(HTTPAdapter):
    """requests' adapter for these connections; all share the trusted certificates."""

    def __init__(
        self, resolve: Resolve, resolve_proxy: Resolve, ca_bundle: str, hosts: int, idle: int
    ) -> None:
        """Keep up to `idle` connections to each of `hosts`; raise OSError without a bundle."""
        self._resolve, self._resolve_proxy = resolve, resolve_proxy
        self._tls = tls_context(ca_bundle)
        super().__init__(hosts, idle, max_retries=Retry(False))  # It calls `init_poolmanager`.

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*sizes, **options, ssl_context=self._tls, resolve=self._resolve)
        _equip(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make or find the pools of connections through a proxy."""
        options |= {"ssl_context": self._tls, "proxy_ssl_context": self._tls}
        return _equip(super().proxy_manager_for(proxy, resolve=self._resolve_proxy, **options))

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        """What the request line names; requests would look for a proxy a second time."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def cert_verify(self, *_: object) -> None:
        """Leave the certificates to the context: requests would read the file anew for each one."""

    def build_response(self, request: PreparedRequest, answered: Any) -> Response:
        """The answer as urllib3 has it; requests would copy its headers and look for cookies."""
        response = Response()
        response.raw, response.headers = answered, answered.headers
        response.status_code = answered.status
        return response


class PreparedSession(Session):
    """A session for prepared requests. It prepares none itself: no cookie and no .netrc is sent."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__()
        self.adapters.clear()
        self.mount("http", adapter)  # What begins with "https" does so, too.
        self.cookies.extract_cookies = lambda *_: None  # type: ignore[method-assign]  # It stays empty.
        self.stream = True
        # Ready for `send`, which would spend a tenth of a call's time on a look for proxies.
        self.ready: Any = {"timeout": NO_TIMEOUT} | ({} if getproxies() else {"proxies": {}})

    def resolve_redirects(self, *_: object, **__: object) -> Iterator[Any]:
        """Take no answer for a redirect: requests would read its body, however long."""
        return iter(())


def _equip(manager: PoolManager) -> PoolManager:
    manager.key_fn_by_scheme = {"http": ORIGIN, "https": ORIGIN}  # type: ignore[dict-item]
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}
    return manager
