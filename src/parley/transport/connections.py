"""urllib3's connections, made to keep a deadline and to connect to judged addresses only."""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from parley.deadline import Deadline
from parley.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from parley.resolver import Address
from parley.timed import TimedSocket, TimedTLSSocket

CONNECT_SECONDS = 5
"""How long connecting and the TLS handshake may take together."""


@dataclass(frozen=True)
class Call:
    """What the connections must know of the call that they are made or used for."""

    deadline: Deadline
    resolve: Callable[[str, int, Deadline], Sequence[Address]]


current: ContextVar[Call] = ContextVar("current")
if TYPE_CHECKING:
    Base = HTTPConnection
else:
    Base = object


class _Timed(Base):
    _window: Deadline

    def _new_conn(self) -> socket.socket:
        """Connect to one of the host's addresses, which are resolved and judged here, once."""
        call = current.get()
        self._window = call.deadline.within(CONNECT_SECONDS, UpstreamTimeout)
        for family, address in call.resolve(self._dns_host, self.port or 0, self._window):
            sock = TimedSocket(family, socket.SOCK_STREAM)
            sock.limit = self._window
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                sock.settimeout(self._window.left())
                sock.connect(address)
                # The TLS handshake takes its timeout from here.
                sock.settimeout(self._window.left())
            except (TimeoutError, UpstreamError):
                sock.close()
                raise
            except OSError:
                sock.close()  # The next address may answer.
            else:
                return sock
        raise UpstreamUnavailable()

    def connect(self) -> None:
        """Connect, shake hands, and keep the call's deadline from then on."""
        try:
            super().connect()
        except TimeoutError:
            raise self._window.error() from None
        self._keep(current.get().deadline)

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request; a connection that was open already keeps the new call's deadline."""
        if self.sock:
            self._keep(current.get().deadline)
        super().request(*arguments, **options)

    def _keep(self, deadline: Deadline) -> None:
        # TLS inside a proxy's TLS is no socket, but holds one.
        timed: Any = getattr(self.sock, "socket", self.sock)
        timed.limit = deadline


class _PlainConnection(_Timed, HTTPConnection):
    pass


class _TLSConnection(_Timed, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Adapter(HTTPAdapter):
    """requests' adapter over such connections; the trusted certificates are loaded once."""

    def __init__(self, pool_size: int, ca_bundle: str) -> None:
        """Keep up to `pool_size` connections per host, and trust the certificates of a file."""
        self._tls = ssl.create_default_context(cafile=ca_bundle)
        self._tls.sslsocket_class = TimedTLSSocket
        super().__init__(pool_maxsize=pool_size)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._tls)
        self._equip(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make, or find, the pools of connections through a proxy."""
        manager: PoolManager = super().proxy_manager_for(
            proxy, **options, ssl_context=self._tls, proxy_ssl_context=self._tls
        )
        self._equip(manager)
        return manager

    def cert_verify(self, *arguments: Any) -> None:
        """Nothing: the TLS context verifies, and requests would load the file for each call."""

    @staticmethod
    def _equip(manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}
