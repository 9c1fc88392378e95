"""Calls to upstreams over shared connections: plain values in and out."""

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
from parley.wire.adapter import Adapter
from parley.wire.addresses import require_public, require_public_spelling
from parley.wire.bodies import StreamedAnswer, encoded
from parley.wire.connections import CONNECT_SECONDS, Call, current_call
from parley.wire.foreign_errors import errors_translated
from parley.wire.messages import Answer, Form, Upstream
from parley.wire.resolver import Address, Resolver
from parley.wire.websocket import Channel, Handshake

HEADERS = {"User-Agent": "parley", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}

CALLERS_IDLE = 100
"""How many idle connections are kept, in total, to hosts that callers choose."""


class Transport:
    """Connections to upstreams, shared by all conversations of a process; thread-safe.

    Nothing but connections is shared: no cookie, no header, no key.
    """

    def __init__(
        self, pool_size: int, resolver: Resolver | None = None, ca_bundle: str | None = None
    ) -> None:
        """Keep up to `pool_size` idle connections; trust `ca_bundle` instead of certifi's.

        Raises ConfigurationError if the bundle cannot be read.
        """
        self._resolver = resolver or Resolver()
        bundle = ca_bundle or where()
        # Read once: searching the whole environment takes a tenth of a call's time.
        self._has_proxies = bool(getproxies())
        # By whether addresses must be public: a connection that was made without the check never
        # serves a call that needs it.
        try:
            self._adapters = {
                False: Adapter(pool_size, bundle),
                True: Adapter(min(pool_size, CALLERS_IDLE), bundle),
            }
        except OSError:
            raise ConfigurationError(
                f"REQUESTS_CA_BUNDLE names {bundle}, which holds no readable certificates."
            ) from None

    def require_allowed(self, *destinations: Destination) -> None:
        """Raise BaseUrlRefused now if a call would be refused for a host's addresses.

        A name that does not resolve is left to the call itself, and so are those that are not
        resolved when CONNECT_SECONDS are over.
        """
        deadline = Deadline.after(CONNECT_SECONDS)
        for destination in destinations:
            url = destination.url
            if self._must_resolve_publicly(destination):
                with suppress(UpstreamError):
                    self._public_addresses(destination, url.host, url.port, deadline)

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
            self._response(upstream, path, headers, deadline, data), limit, upstream
        )

    def get(self, upstream: Upstream, path: str, *, limit: int, deadline: Deadline) -> Answer:
        """GET; limited as `post` is, and raising the same."""
        response = self._response(upstream, path, {}, deadline)
        with StreamedAnswer(response, limit, upstream) as answer:
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
        with StreamedAnswer(response, limit, upstream) as answer:
            if answer.status != 101:
                yield answer.whole()
                return
            channel = handshake.channel(response)
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
        url = f"{upstream.destination.url}{path}"
        public_only = self._must_resolve_publicly(upstream.destination)
        checked = partial(self._public_addresses, upstream.destination)
        resolve = checked if public_only else self._resolver.resolve
        sent = {**HEADERS, **headers}
        if upstream.api_key:
            sent["Authorization"] = f"Bearer {upstream.api_key}"
        if upstream.request_id:
            sent["X-Client-Request-Id"] = upstream.request_id
        # Prepared by hand, and without a session: it would keep cookies, read passwords from .netrc
        # and follow redirects, and it takes a fifth of a call's time.
        request = PreparedRequest()
        request.method = "GET" if data is None else "POST"
        request.url = url  # A BaseUrl holds nothing that would have to be escaped.
        request.headers, request.body = sent, data  # type: ignore[assignment]  # No name twice.
        # The connections read it while the request is sent. It must not outlive that: whoever
        # reads the answer may do so in another context.
        token = current_call.set(Call(deadline, resolve))
        try:
            with errors_translated():
                return self._adapters[public_only].send(
                    request, stream=True, proxies=self._proxies_for(url)
                )
        finally:
            current_call.reset(token)

    def _must_resolve_publicly(self, destination: Destination) -> bool:
        """Whether to check what the host resolves to; raise BaseUrlRefused if it cannot be public.

        Behind a proxy only the proxy knows what a name resolves to.
        """
        if not destination.public_only:
            return False
        with _refusing(destination):
            require_public_spelling(destination.url.host)
        url = str(destination.url)
        return not select_proxy(url, self._proxies_for(url))

    def _proxies_for(self, url: str) -> dict[str, str]:
        return get_environ_proxies(url) if self._has_proxies else {}

    def _public_addresses(
        self, destination: Destination, host: str, port: int, deadline: Deadline
    ) -> list[Address]:
        addresses = self._resolver.resolve(host, port, deadline)
        with _refusing(destination):
            require_public(address[0] for _, address in addresses)
        return addresses


@contextmanager
def _refusing(destination: Destination) -> Iterator[None]:
    """Name the header that is at fault in the refusal."""
    try:
        yield
    except BaseUrlRefused:
        raise destination.refusal() from None
