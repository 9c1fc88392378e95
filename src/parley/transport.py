"""The only file that touches requests: one pool of connections, plain values in and out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import IO, Any

import requests
import requests.adapters
import urllib3
from requests_toolbelt import MultipartEncoder

from parley.errors import UpstreamMalformed, UpstreamTimeout, UpstreamUnavailable

CONNECT_SECONDS = 5
READ_SECONDS = 60
CHUNK_BYTES = 64 * 1024

FormField = tuple[str, str | tuple[str, IO[bytes], str]]
"""A form field: its name, and a text or a file as its name, stream and media type."""


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

    def __init__(self, pool_size: int, ca_bundle: str | None = None) -> None:
        """Keep up to `pool_size` connections per host; trust `ca_bundle` instead of certifi's."""
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=pool_size)
        self._session = requests.Session()
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Keeps .netrc's passwords out, and with it the proxy variables: `_post` reads those.
        self._session.trust_env = False
        if ca_bundle:
            self._session.verify = ca_bundle

    def post_json(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any], limit: int
    ) -> Answer:
        """POST `body` as JSON; at most `limit` bytes of answer, as decoded, are taken.

        Raises UpstreamUnavailable, UpstreamTimeout or UpstreamMalformed.
        """
        headers = {**headers, "Content-Type": "application/json"}
        return self._post(url, headers, json.dumps(body).encode(), limit)

    def post_form(
        self,
        url: str,
        headers: Mapping[str, str],
        fields: Sequence[FormField],
        limit: int,
    ) -> Answer:
        """POST multipart/form-data, files sent on as streams; otherwise as `post_json`."""
        form = MultipartEncoder(fields)
        return self._post(url, {**headers, "Content-Type": form.content_type}, form, limit)

    def _post(
        self, url: str, headers: Mapping[str, str], body: bytes | MultipartEncoder, limit: int
    ) -> Answer:
        try:
            with self._session.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                proxies=requests.utils.get_environ_proxies(url),
                stream=True,
            ) as response:
                return Answer(response.status_code, response.headers, _read(response, limit))
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise UpstreamTimeout() from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            raise UpstreamUnavailable() from None


def _read(response: requests.Response, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise UpstreamMalformed()
    return bytes(body)
