"""The only package that touches requests: pooled connections, plain values in and out."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import IO, Any
from urllib.request import getproxies

import requests
import urllib3
from certifi import where
from requests.utils import get_environ_proxies, select_proxy
from requests_toolbelt import MultipartEncoder

from parley.deadline import Deadline
from parley.egress import Destination, judge
from parley.errors import UpstreamMalformed, UpstreamTimeout, UpstreamUnavailable
from parley.resolver import Address, Resolver
from parley.transport.connections import Adapter, Call, current

CHUNK_BYTES = 64 * 1024

Form = Sequence[tuple[str, str | tuple[str, IO[bytes], str]]]
"""A form's fields: a name, and a text or a file as its name, stream and media type."""


@dataclass(frozen=True)
class Upstream:
    """Where a caller's calls go, and with which key."""

    destination: Destination
    api_key: str = field(repr=False)
    request_id: str = ""
    """What the upstream may log each call under, beside its own id; none where blank."""


@dataclass(frozen=True)
class Answer:
    """An upstream's answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Transport:
    """Connections to upstreams, shared by all conversations of a process; thread-safe.

    Nothing but connections is shared: no cookie, no header, no key.
    """

    def __init__(
        self, pool_size: int, resolver: Resolver | None = None, ca_bundle: str | None = None
    ) -> None:
        """Keep up to `pool_size` connections per host; trust `ca_bundle` instead of certifi's."""
        self._resolver = resolver or Resolver()
        bundle = ca_bundle or where()
        # Asked once, since looking through the whole environment takes a tenth of a call.
        self._has_proxies = bool(getproxies())
        # By whether addresses are judged: a connection made unjudged must not serve the others.
        self._sessions = {judged: _session(pool_size, bundle) for judged in (False, True)}

    def admit(self, destination: Destination, deadline: Deadline) -> None:
        """Raise BaseUrlRefused at once where connecting would be refused for the address.

        A name that does not resolve now is not refused: connecting will tell.
        """
        url = destination.url
        if destination.public_only and not select_proxy(str(url), self._proxies_for(str(url))):
            with suppress(UpstreamUnavailable):
                self._public_addresses(url.host, url.port, deadline)

    def post(
        self,
        upstream: Upstream,
        path: str,
        body: Mapping[str, Any] | Form,
        *,
        limit: int,
        deadline: Deadline,
    ) -> Answer:
        """POST a mapping as JSON, or fields as a form whose files are sent on as streams.

        At most `limit` bytes of answer, as decoded, are taken. Raises UpstreamMalformed past that,
        UpstreamUnavailable, UpstreamTimeout, DeadlineExceeded or BaseUrlRefused.
        """
        destination = upstream.destination
        url = f"{destination.url}{path}"
        if isinstance(body, Mapping):
            data, content_type = json.dumps(body).encode(), "application/json"
        else:
            data = MultipartEncoder(body)
            content_type = data.content_type
        proxies = self._proxies_for(url)
        judged = destination.public_only and not select_proxy(url, proxies)
        call = Call(deadline, self._public_addresses if judged else self._resolver.resolve)
        token = current.set(call)
        try:
            with self._sessions[judged].post(
                url,
                data=data,
                headers={
                    "Authorization": f"Bearer {upstream.api_key}",
                    "Content-Type": content_type,
                    "X-Client-Request-Id": upstream.request_id or None,
                },
                allow_redirects=False,
                proxies=proxies,
                stream=True,
            ) as response:
                return Answer(response.status_code, response.headers, _read(response, limit))
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise UpstreamTimeout() from None
        except (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError):
            raise UpstreamMalformed() from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            raise UpstreamUnavailable() from None
        finally:
            current.reset(token)

    def _proxies_for(self, url: str) -> dict[str, str]:
        return get_environ_proxies(url) if self._has_proxies else {}

    def _public_addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        addresses = self._resolver.resolve(host, port, deadline)
        judge(address[0] for _, address in addresses)
        return addresses


def _session(pool_size: int, ca_bundle: str) -> requests.Session:
    session = requests.Session()
    adapter = Adapter(pool_size, ca_bundle)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Keeps .netrc's passwords out, and with it the proxy variables, which `post` reads.
    session.trust_env = False
    return session


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
