"""Calls to upstreams over shared connections: plain values in and out."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.request import getproxies

from certifi import where
from requests import PreparedRequest, Response
from requests.utils import get_environ_proxies, select_proxy

from parley.base_urls import Destination
from parley.deadline import Deadline
from parley.errors import BaseUrlRefused, ConfigurationError, UpstreamError
from parley.wire.adapter import Adapter, Calls
from parley.wire.addresses import require_public, require_public_spelling
from parley.wire.bodies import StreamedAnswer, encoded
from parley.wire.connections import CONNECT_SECONDS
from parley.wire.foreign_errors import errors_translated
from parley.wire.messages import Answer, Form, Upstream
from parley.wire.resolver import Address, LookUp, resolve
from parley.wire.websocket import Channel, Handshake

HEADERS = {"User-Agent": "parley", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}

HOSTS = 100
"""How many of the operator's hosts have pools at most; one that is left out gets a new one."""

CALLERS_HOSTS, CALLERS_IDLE = 20, 10
"""To how many hosts that callers choose idle connections are kept, and how many to each."""


class Transport:
    """Connections to upstreams, shared by all conversations of a process.

    Nothing but connections is shared: no cookie, no header, no key.
    """

    def __init__(
        self,
        pool_size: int,
        look_up: LookUp = socket.getaddrinfo,
        ca_bundle: str | None = None,
    ) -> None:
        """Keep up to `pool_size` idle connections to each host of the operator's.

        Names are looked up with `look_up`; `ca_bundle` is trusted instead of certifi's. Raises
        ConfigurationError if the bundle cannot be read.
        """
        self._resolve = partial(resolve, look_up)
        bundle = ca_bundle or where()
        # Read once: searching the whole environment takes a tenth of a call's time.
        self._has_proxies = bool(getproxies())
        # By whether addresses must be public: a connection that was made without the check never
        # serves a call that needs it. Behind a proxy only the proxy knows what it connects to.
        try:
            ours = Adapter(self._resolve, self._resolve, bundle, hosts=HOSTS, idle=pool_size)
            callers = Adapter(
                self._resolve_publicly,
                self._resolve,
                bundle,
                hosts=CALLERS_HOSTS,
                idle=min(pool_size, CALLERS_IDLE),
            )
        except OSError:
            raise ConfigurationError(
                f"REQUESTS_CA_BUNDLE names {bundle}, which holds no readable certificates."
            ) from None
        self._calls = {False: Calls(ours), True: Calls(callers)}

    def require_allowed(self, *destinations: Destination) -> None:
        """Raise BaseUrlRefused now if a call would be refused for a host's addresses.

        A name that does not resolve is left to the call itself, and so are those that are not
        resolved when CONNECT_SECONDS are over.
        """
        deadline = Deadline.after(CONNECT_SECONDS)
        for destination in destinations:
            with _refusing(destination), suppress(UpstreamError):
                if self._must_resolve_publicly(destination):
                    with deadline.wait():
                        self._resolve_publicly(destination.url.host, destination.url.port)

    def post(
        self,
        upstream: Upstream,
        path: str,
        body: Mapping[str, Any] | Form,
        *,
        limit: int,
        deadline: Deadline,
    ) -> Answer:
        """POST a mapping as JSON, or fields as a form whose recording is streamed from its start.

        At most `limit` bytes of answer, as decoded, are accepted. Raises UpstreamMalformed past
        that, UpstreamUnavailable, UpstreamTimeout, BaseUrlRefused, or what the deadline raises.
        """
        with self.stream(upstream, path, body, limit=limit, deadline=deadline) as answer:
            return answer.whole()

    def stream(
        self,
        upstream: Upstream,
        path: str,
        body: Mapping[str, Any] | Form,
        *,
        limit: int,
        deadline: Deadline,
    ) -> StreamedAnswer:
        """POST as `post` does; the answer comes once its headers have arrived, its body as read.

        Leaving its `with` closes the connection, unless the body was read to its end.
        """
        data, content_type = encoded(body)
        headers = {"Content-Type": content_type, "Content-Length": str(len(data))}
        return StreamedAnswer(
            self._response(upstream, path, headers, deadline, data), limit, upstream, deadline
        )

    def get(self, upstream: Upstream, path: str, *, limit: int, deadline: Deadline) -> Answer:
        """GET; limited as `post` is, and raising the same."""
        response = self._response(upstream, path, {}, deadline)
        with StreamedAnswer(response, limit, upstream, deadline) as answer:
            return answer.whole()

    @contextmanager
    def connect(
        self, upstream: Upstream, path: str, *, limit: int, deadline: Deadline
    ) -> Iterator[Channel | Answer]:
        """Open a WebSocket; if the upstream refuses, yield its answer instead.

        At most `limit` bytes of a message, or of the answer, are accepted. Raises as `post` does.
        """
        handshake = Handshake(f"{upstream.destination.url}{path}", limit)
        response = self._response(upstream, path, handshake.headers, deadline)
        with StreamedAnswer(response, limit, upstream, deadline) as answer:
            if answer.status != 101:
                yield answer.whole()
                return
            channel = handshake.channel(response, deadline)
            try:
                yield channel
            finally:
                channel.close()

    def _response(
        self,
        upstream: Upstream,
        path: str,
        headers: Mapping[str, str],
        deadline: Deadline,
        data: Any = None,
    ) -> Response:
        """The response to a POST of `data`, or to a GET, once its headers have arrived."""
        url, destination = f"{upstream.destination.url}{path}", upstream.destination
        sent = {**HEADERS, **headers}
        if upstream.api_key:
            sent["Authorization"] = f"Bearer {upstream.api_key}"
        if upstream.request_id:
            sent["X-Client-Request-Id"] = upstream.request_id
        # Prepared by hand: a session would add cookies, passwords from .netrc and what the
        # environment says, and it takes a tenth of a call's time.
        request = PreparedRequest()
        request.method = "GET" if data is None else "POST"
        request.url = url  # A BaseUrl holds nothing that would have to be escaped.
        request.headers, request.body = sent, data  # type: ignore[assignment]  # No name twice.
        with _refusing(destination), errors_translated():
            self._must_resolve_publicly(destination)
            with deadline.wait():
                return self._calls[destination.public_only].send(
                    request, stream=True, allow_redirects=False, proxies=self._proxies_for(url)
                )

    def _must_resolve_publicly(self, destination: Destination) -> bool:
        """Whether to check what the host resolves to; raise BaseUrlRefused if it cannot be public.

        Behind a proxy only the proxy knows what a name resolves to.
        """
        if not destination.public_only:
            return False
        require_public_spelling(destination.url.host)
        url = str(destination.url)
        return not select_proxy(url, self._proxies_for(url))

    def _proxies_for(self, url: str) -> dict[str, str]:
        return get_environ_proxies(url) if self._has_proxies else {}

    def _resolve_publicly(self, host: str, port: int) -> list[Address]:
        """The host's addresses; raise BaseUrlRefused if any of them is not public."""
        addresses = self._resolve(host, port)
        require_public(address[0] for _, address in addresses)
        return addresses


@contextmanager
def _refusing(destination: Destination) -> Iterator[None]:
    """Name the header that is at fault in the refusal."""
    try:
        yield
    except BaseUrlRefused:
        raise destination.refusal() from None
