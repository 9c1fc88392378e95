"""requests' adapter and urllib3's pools for our connections."""

import ssl
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.util import Retry

from parley.wire.connections import PlainConnection, TLSConnection
from parley.wire.idle_connections import Idle
from parley.wire.timed_sockets import TimedTLSSocket

HOSTS = 100
"""How many hosts have pools at most; callers may name any number of hosts."""

if TYPE_CHECKING:
    PoolBase = HTTPConnectionPool
else:
    PoolBase = object


class _Pool(PoolBase):
    def __init__(self, idle: Idle, *arguments: Any, **options: Any) -> None:
        self._idle = idle
        super().__init__(*arguments, **{**options, "maxsize": 1})

    def _get_conn(self, timeout: float | None = None) -> Any:
        return self._idle.take(self) or self._new_conn()

    def _put_conn(self, conn: Any) -> None:
        """Keep a connection only if nothing is left on it: the next call is another caller's."""
        if conn and conn.is_reusable and self.pool is not None:
            self._idle.keep(self, conn)
        elif conn:
            conn.close()

    def close(self) -> None:
        self._idle.close(self)
        super().close()


class _PlainPool(_Pool, HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = TLSConnection


class Adapter(HTTPAdapter):
    """requests' adapter for these connections; all share the trusted certificates."""

    def __init__(self, pool_size: int, ca_bundle: str) -> None:
        """Keep up to `pool_size` idle connections, and trust the certificates of a file.

        Raises OSError if the file cannot be read.
        """
        self._idle = Idle(pool_size)
        self._tls = _trusting(ca_bundle)
        super().__init__(pool_connections=HOSTS, max_retries=Retry(False))

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._tls)
        self._equip(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make or find the pools of connections through a proxy."""
        manager: PoolManager = super().proxy_manager_for(
            proxy,
            **options,
            ssl_context=self._tls,
            proxy_ssl_context=self._tls,
        )
        self._equip(manager)
        return manager

    def send(self, request: PreparedRequest, *_: Any, proxies: Any = None, **__: Any) -> Response:
        """The answer, once its headers have arrived; raises what urllib3 raises.

        The deadline is the call's. requests would describe TLS and look for a proxy anew for each
        call, and read the answer's cookies, which nobody keeps.
        """
        pool: Any
        if proxies:
            pool = self.get_connection_with_tls_context(request, True, proxies)
            target = self.request_url(request, proxies)
        else:
            url = urlsplit(str(request.url))
            pool = self.poolmanager.connection_from_host(url.hostname, url.port, url.scheme)
            target = request.path_url
        answer = pool.urlopen(
            request.method,
            target,
            request.body,
            request.headers,
            retries=self.max_retries,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        response = Response()
        response.status_code, response.reason = answer.status, answer.reason
        response.headers, response.raw = answer.headers, answer
        return response

    def _equip(self, manager: PoolManager) -> None:
        # urllib3 leaves a dropped pool to the garbage collector, but idle connections refer to it.
        manager.pools.dispose_func = self._idle.close
        manager.key_fn_by_scheme = {"http": _origin, "https": _origin}  # type: ignore[dict-item]
        manager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, self._idle),  # type: ignore[dict-item]
            "https": partial(_TLSPool, self._idle),  # type: ignore[dict-item]
        }


@cache
def _trusting(ca_bundle: str) -> ssl.SSLContext:
    """The TLS settings that trust a file's certificates; reading certifi's takes 12 ms."""
    tls = ssl.create_default_context(cafile=ca_bundle)
    tls.sslsocket_class = TimedTLSSocket
    return tls


def _origin(pool: Mapping[str, Any]) -> tuple[str, str, int]:
    """What tells a manager's pools apart; urllib3 compares every option of theirs."""
    return pool["scheme"], pool["host"], pool["port"]
