"""The only package that touches requests: pooled connections, plain values in and out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies

import requests
import urllib3
from certifi import where
from requests.utils import get_environ_proxies, select_proxy
from requests_toolbelt import MultipartEncoder

from parley.audio import Recording
from parley.credentials import sane_request_id
from parley.deadline import Deadline
from parley.egress import Destination, judge
from parley.errors import (
    StartRefused,
    UpstreamError,
    UpstreamMalformed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from parley.resolver import Address, Resolver
from parley.transport.connections import CONNECT_SECONDS, Adapter, Call, current
from parley.transport.websocket import Channel, Handshake

CHUNK_BYTES = 64 * 1024

BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    HTTPException,
    OSError,
)
"""What requests and the layers below it raise when an exchange fails."""

Form = Sequence[tuple[str, str | Recording]]
"""A form's fields by name; a recording is named and typed from its kind."""


@dataclass(frozen=True)
class Upstream:
    """Where a caller's calls go, and with which key."""

    destination: Destination
    api_key: str = field(repr=False)
    """Blank where the upstream asks for none: then no `Authorization` is sent."""

    request_id: str = ""
    """What the upstream may log each call under, beside its own id; none where blank."""


@dataclass(frozen=True)
class Answer:
    """An upstream's answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request_id: str | None = None


class Transport:
    """Connections to upstreams, shared by all conversations of a process; thread-safe.

    Nothing but connections is shared: no cookie, no header, no key.
    """

    def __init__(
        self, pool_size: int, resolver: Resolver | None = None, ca_bundle: str | None = None
    ) -> None:
        """Keep up to `pool_size` connections per host; trust `ca_bundle` instead of certifi's.

        Raises StartRefused where the bundle cannot be read.
        """
        self._resolver = resolver or Resolver()
        # Callers' names wait in a queue of their own: slow ones do not hold up the service's.
        self._judged_resolver = resolver or Resolver()
        bundle = ca_bundle or where()
        # Asked once, since looking through the whole environment takes a tenth of a call.
        self._has_proxies = bool(getproxies())
        # By whether addresses are judged: a connection made unjudged must not serve the others.
        try:
            self._sessions = {judged: _session(pool_size, bundle) for judged in (False, True)}
        except OSError:
            raise StartRefused(
                f"REQUESTS_CA_BUNDLE names {bundle}, which holds no certificates that can be read."
            ) from None

    def admit(self, destination: Destination) -> None:
        """Raise BaseUrlRefused at once where connecting would be refused for the address.

        A name that does not resolve now, or not soon, is not refused: connecting will tell.
        """
        url = destination.url
        if destination.public_only and not select_proxy(str(url), self._proxies_for(str(url))):
            with suppress(UpstreamError):
                self._public_addresses(url.host, url.port, Deadline.after(CONNECT_SECONDS))

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

        At most `limit` bytes of answer, as decoded, are taken. Raises UpstreamMalformed past that,
        UpstreamUnavailable, UpstreamTimeout, DeadlineExceeded or BaseUrlRefused.
        """
        if isinstance(body, Mapping):
            data, content_type = json.dumps(body).encode(), "application/json"
        else:
            data = MultipartEncoder([(name, _part(value)) for name, value in body])
            content_type = data.content_type
        headers = {"Content-Type": content_type}
        with self._answered(upstream, path, headers, deadline, data) as response:
            return _answer(response, limit, upstream.api_key)

    def get(self, upstream: Upstream, path: str, *, limit: int, deadline: Deadline) -> Answer:
        """GET; limited as `post` is, and raising the same."""
        with self._answered(upstream, path, {}, deadline) as response:
            return _answer(response, limit, upstream.api_key)

    @contextmanager
    def connect(
        self, upstream: Upstream, path: str, *, limit: int, deadline: Deadline
    ) -> Iterator[Channel | Answer]:
        """Open a WebSocket; where that is refused, the upstream's answer comes instead.

        At most `limit` bytes of a message, or of the answer, are taken. Raises as `post` does.
        """
        handshake = Handshake(f"{upstream.destination.url}{path}", limit)
        with self._answered(upstream, path, handshake.headers, deadline) as response:
            if response.status_code != 101:
                yield _answer(response, limit, upstream.api_key)
                return
            channel = handshake.channel(response)
            try:
                yield channel
            finally:
                channel.close()

    @contextmanager
    def _answered(
        self,
        upstream: Upstream,
        path: str,
        headers: Mapping[str, str],
        deadline: Deadline,
        data: bytes | MultipartEncoder | None = None,
    ) -> Iterator[requests.Response]:
        """The upstream's answer, of which the headers have arrived; foreign errors become ours."""
        destination = upstream.destination
        url = f"{destination.url}{path}"
        proxies = self._proxies_for(url)
        judged = destination.public_only and not select_proxy(url, proxies)
        call = Call(deadline, self._public_addresses if judged else self._resolver.resolve)
        token = current.set(call)
        try:
            with self._sessions[judged].request(
                "GET" if data is None else "POST",
                url,
                data=data,
                headers={
                    "Authorization": f"Bearer {upstream.api_key}" if upstream.api_key else None,
                    "X-Client-Request-Id": upstream.request_id or None,
                    **headers,
                },
                allow_redirects=False,
                proxies=proxies,
                stream=True,
            ) as response:
                yield response
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise UpstreamTimeout() from None
        except (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError):
            raise UpstreamMalformed() from None
        except BROKEN:
            raise UpstreamUnavailable() from None
        finally:
            current.reset(token)

    def _proxies_for(self, url: str) -> dict[str, str]:
        return get_environ_proxies(url) if self._has_proxies else {}

    def _public_addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        addresses = self._judged_resolver.resolve(host, port, deadline)
        judge(address[0] for _, address in addresses)
        return addresses


def _part(value: str | Recording) -> str | tuple[str, Recording, str]:
    if isinstance(value, str):
        return value
    value.stream.seek(0)
    return value.kind.file_name, value, value.kind.mime_type


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests reads a redirect whole, without limit, even where it is not to follow."""


def _session(pool_size: int, ca_bundle: str) -> requests.Session:
    session = _Session()
    adapter = Adapter(pool_size, ca_bundle)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Keeps .netrc's passwords out, and with it the proxy variables, which `post` reads.
    session.trust_env = False
    return session


def _answer(response: requests.Response, limit: int, api_key: str) -> Answer:
    request_id = sane_request_id(response.headers.get("x-request-id", ""), api_key)
    return Answer(response.status_code, response.headers, _read(response, limit), request_id)


def _read(response: requests.Response, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise UpstreamMalformed()
    framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if response.status_code < 300 and not body and not framed:
        # Cut off amid its headers, an answer looks like a success with nothing in it.
        raise UpstreamUnavailable()
    return bytes(body)
