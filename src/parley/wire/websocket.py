"""A WebSocket (RFC 6455) over a connection that urllib3 made: messages in and out, in time."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from requests import Response
from websockets import http11
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from parley.errors import ParleyError, UpstreamMalformed, UpstreamUnavailable
from parley.wire.foreign_errors import errors_translated
from parley.wire.timed_sockets import let_others_run

READ_BYTES = 2 * 1024
"""How much is parsed at once. It can be a thousand frames, and nobody else is served meanwhile."""

# At the level DEBUG the library logs every frame, and so what was said.
QUIET = logging.Logger("websocket", logging.CRITICAL + 1)


class Handshake:
    """How an HTTP request asks for a WebSocket, and becomes one."""

    def __init__(self, url: str, limit: int) -> None:
        """Ask for one at an http(s) URL; accept messages of at most `limit` bytes."""
        uri = parse_uri(f"ws{url.removeprefix('http')}")
        self._protocol = ClientProtocol(uri, state=OPEN, max_size=limit, logger=QUIET)
        self.headers = dict(self._protocol.connect().headers)

    def channel(self, response: Response) -> "Channel":
        """The WebSocket that an answer opens; raise UpstreamMalformed if it is no valid 101."""
        headers = Headers(response.headers.items())
        try:
            self._protocol.process_response(
                http11.Response(response.status_code, response.reason, headers)
            )
        except InvalidHandshake:
            raise UpstreamMalformed() from None
        return Channel(self._protocol, response.raw)


class Channel:
    """An open WebSocket, for one greenlet; its socket keeps the call's deadline."""

    def __init__(self, protocol: ClientProtocol, answered: Any) -> None:
        """Read on where http.client stopped: after the headers of the answer."""
        self._protocol = protocol
        self._socket = answered.connection.sock
        if self._socket is None:
            raise UpstreamUnavailable()  # The answer also said `Connection: close`.
        self._reader = answered._original_response.fp  # As requests itself does.

    def send(self, text: str) -> None:
        """Send one message, unless the upstream has closed already; `messages` then says why."""
        if self._protocol.state is not OPEN:
            return
        self._protocol.send_text(text.encode())
        self._flush()

    def messages(self) -> Iterator[bytes]:
        """Each message as it arrives; raise UpstreamUnavailable at the end of the connection.

        Raises UpstreamMalformed for what is not a WebSocket frame, or is over the limit.
        """
        parts: list[bytes] = []
        while data := self._read():
            let_others_run()  # The reader returns what it already holds at once.
            self._protocol.receive_data(data)
            self._flush()
            for frame in self._protocol.events_received():
                if not isinstance(frame, Frame) or frame.opcode in (Opcode.PING, Opcode.PONG):
                    continue
                if frame.opcode is Opcode.CLOSE:
                    raise UpstreamUnavailable()
                parts.append(bytes(frame.data))
                if frame.fin:
                    yield b"".join(parts)
                    parts.clear()
            if self._protocol.parser_exc:
                raise UpstreamMalformed()
        raise UpstreamUnavailable()

    def close(self) -> None:
        """Send a close frame, without waiting for the answer to it."""
        with suppress(ParleyError):
            if self._protocol.state is OPEN:
                self._protocol.send_close(1000)
                self._flush()

    def _read(self) -> bytes:
        with errors_translated():
            data: bytes = self._reader.read1(READ_BYTES)
        return data

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                with errors_translated():
                    self._socket.sendall(data)
