"""Calls to upstreams over shared connections: what is sent, and to which addresses."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from socket import getaddrinfo
from typing import Any

from certifi import where
from requests import PreparedRequest
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import encode_multipart_formdata

from parley.base_urls import BaseUrl, is_public
from parley.deadline import Deadline, let_others_run
from parley.errors import BaseUrlRefused, ConfigurationError, UpstreamError
from parley.recordings import Recording
from parley.redaction import Secrets
from parley.wire.adapter import Adapter, PreparedSession
from parley.wire.bodies import Answer, ErrorsTranslated
from parley.wire.connections import CONNECT_SECONDS, Address, LookUp, is_short_of_files, resolve
from parley.wire.websocket import MESSAGE_BYTES, Channel

HEADERS = {"User-Agent": "parley", "Accept": "*/*", "Accept-Encoding": "gzip"}
HOSTS = 100  # How many hosts of the operator's, or allowed by name, have pools at once.
PUBLIC_KEPT = 20, 10  # To how many callers' hosts idle connections are kept, and how many to each.
BLOCK_BYTES = 64 * 1024  # What is read of a recording and sent at once; 16 KiB take twice the time.


@dataclass(frozen=True)
class Upstream:
    """Where the calls of a stage may go, since its URL was judged, and with which key."""

    url: BaseUrl
    api_key: str = field(repr=False)  # Blank where none is sent.
    secrets: Secrets = field(repr=False, compare=False)  # What shows any key of the conversation.
    request_id: str = ""  # What the upstream may log each call under, beside its own.
    is_quoted: bool = True  # Whether callers are told its own words of a failure, and its id.
    key_header: str = ""  # The header in which the caller may send a key for this call, if any.
    is_operators_host: bool = False  # Whether the operator chose the host, which is not OpenAI's.

    def request(self, path: str, headers: Mapping[str, str], data: Any = None) -> PreparedRequest:
        """A POST of `data`, or a GET, made by hand: a session would add cookies and passwords."""
        sent = {**HEADERS, **headers}
        if self.api_key:
            sent["Authorization"] = f"Bearer {self.api_key}"
        if self.request_id:
            sent["X-Client-Request-Id"] = self.request_id
        request = PreparedRequest()
        request.method = "GET" if data is None else "POST"
        request.url = f"{self.url}{path}"  # Nothing would have to be escaped.
        request.headers, request.body = sent, data  # type: ignore[assignment]  # No name twice.
        return request


class Form:
    """A form in blocks (RFC 7578), of which the recording is read only while they are sent."""

    def __init__(self, fields: Sequence[tuple[str, str]], name: str, recording: Recording) -> None:
        """Lay out the texts by name, and the recording, from its start, in the field `name`."""
        file = (recording.kind.file_name, b"", recording.kind.mime_type)
        empty, self.content_type = encode_multipart_formdata([*fields, (name, file)])
        self._tail = empty[empty.rindex(b"\r\n--") :]
        self._head = empty.removesuffix(self._tail)
        self._recording = recording
        recording.stream.seek(0)  # Another try may have read it.

    def __len__(self) -> int:
        return len(self._head) + self._recording.size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """The blocks, one in memory at once; the framing is sent in the first and the last."""
        head = self._head
        for left in range(self._recording.size, 0, -BLOCK_BYTES):
            if not head:
                let_others_run()  # Neither reading a file nor an upstream that takes it all waits.
            tail = self._tail if left <= BLOCK_BYTES else b""
            yield head + self._recording.stream.read(min(left, BLOCK_BYTES)) + tail
            head = b""


Body = Mapping[str, Any] | Form  # What is sent: a mapping as JSON, or a form.


class Transport:
    """What all conversations of a process share: connections, but no cookie, header or key."""

    def __init__(self, pool_size: int, look_up: LookUp = getaddrinfo, ca_bundle: str | None = None):
        """Keep up to `pool_size` idle connections to each host of the operator's.

        `ca_bundle` is trusted instead of certifi's; raises ConfigurationError if it is unreadable.
        """
        self._look_up, bundle = look_up, ca_bundle or where()
        # A connection that was made without a look whether its address is public never serves a
        # call that needs one. Behind a proxy only the proxy knows what it connects to.
        try:
            unchecked = Adapter(self._resolve, self._resolve, bundle, HOSTS, pool_size)
            public = Adapter(self._resolve_publicly, self._resolve, bundle, *PUBLIC_KEPT)
        except OSError:
            sentence = f"REQUESTS_CA_BUNDLE names {bundle}, which holds no readable certificates."
            raise ConfigurationError(sentence) from None
        self._unchecked, self._public = PreparedSession(unchecked), PreparedSession(public)

    def require_allowed_addresses(self, *urls: BaseUrl) -> None:
        """Raise BaseUrlRefused now if a call would be refused for a host's addresses."""
        deadline = Deadline.after(CONNECT_SECONDS)  # A name that takes longer is left to the call.
        for url in urls:
            # Behind a proxy only the proxy knows what a name resolves to.
            if url.public_only and not select_proxy(str(url), get_environ_proxies(str(url))):
                try:
                    with suppress(UpstreamError), deadline.wait():
                        self._resolve_publicly(url.host, url.port)
                except BaseUrlRefused:
                    raise url.refusal() from None

    def post(
        self, upstream: Upstream, path: str, body: Body, limit: int, deadline: Deadline
    ) -> Answer:
        """POST a mapping as JSON, or a form; the answer, once its headers have arrived.

        Its body, read as it arrives, may have `limit` bytes, as decoded. Raises UpstreamTimeout,
        UpstreamUnavailable, BaseUrlRefused, or what the deadline raises.
        """
        data = body if isinstance(body, Form) else json.dumps(body).encode()
        content_type = data.content_type if isinstance(data, Form) else "application/json"
        headers = {"Content-Type": content_type, "Content-Length": str(len(data))}
        return self._answer(upstream, upstream.request(path, headers, data), limit, deadline)

    def get(self, upstream: Upstream, path: str, limit: int, deadline: Deadline) -> Answer:
        """GET an answer; limited as `post` is, and raising what it raises."""
        return self._answer(upstream, upstream.request(path, {}), limit, deadline)

    @contextmanager
    def open_channel(
        self, upstream: Upstream, path: str, deadline: Deadline
    ) -> Iterator[Channel | Answer]:
        """A WebSocket, or the refusal; raise what `post` raises."""
        channel = Channel(f"{upstream.url}{path}", deadline)
        request = upstream.request(path, channel.handshake)
        with self._answer(upstream, request, MESSAGE_BYTES, deadline) as answer:
            if answer.status != 101:
                yield answer
                return
            channel.open(answer.response)
            with closing(channel):
                yield channel

    def _answer(
        self, upstream: Upstream, request: PreparedRequest, limit: int, deadline: Deadline
    ) -> Answer:
        session = self._public if upstream.url.public_only else self._unchecked
        try:
            with ErrorsTranslated(), deadline.wait():
                response = session.send(request, **session.ready)
        except BaseUrlRefused:
            raise upstream.url.refusal() from None
        return Answer(response, limit, upstream.secrets, deadline)

    def _resolve(self, host: str, port: int) -> list[Address]:
        if is_short_of_files():  # Callers choose to how many hosts idle connections lead.
            for session in (self._unchecked, self._public):
                session.close()
            let_others_run()  # gevent closes then.
        return resolve(self._look_up, host, port)

    def _resolve_publicly(self, host: str, port: int) -> list[Address]:
        addresses = self._resolve(host, port)
        if not all(is_public(ip) for _, (ip, *_) in addresses):
            raise BaseUrlRefused()
        return addresses
