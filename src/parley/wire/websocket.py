"""A WebSocket (RFC 6455) over a connection that urllib3 made: messages in and out, in time."""

import logging
import time
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

from parley.errors import UpstreamError, UpstreamMalformed, UpstreamUnavailable

READ_BYTES = 2 * 1024
"""How much is parsed at once: it can be a thousand frames, and nobody else is served meanwhile."""

# The library logs every frame, which is what was said, where the operator's level is DEBUG.
QUIET = logging.Logger("websocket", logging.CRITICAL + 1)


class Handshake:
    """How an HTTP request asks for a WebSocket, and becomes one."""

    def __init__(self, url: str, limit: int) -> None:
        """Ask for one at an http(s) URL; take messages of at most `limit` bytes."""
        uri = parse_uri(f"ws{url.removeprefix('http')}")
        self._protocol = ClientProtocol(uri, state=OPEN, max_size=limit, logger=QUIET)
        self.headers = dict(self._protocol.connect().headers)

    def channel(self, response: Response) -> "Channel":
        """The WebSocket that an answer of status 101 opens; raise UpstreamMalformed for others."""
        headers = Headers(response.headers.items())
        try:
            self._protocol.process_response(
                http11.Response(response.status_code, response.reason, headers)
            )
        except InvalidHandshake:
            raise UpstreamMalformed() from None
        return Channel(self._protocol, response.raw)


class Channel:
    """An open WebSocket, for one thread; its socket keeps the call's deadline."""

    def __init__(self, protocol: ClientProtocol, answered: Any) -> None:
        """Go on where http.client stopped reading: behind the headers of what it answered."""
        self._protocol = protocol
        self._socket = answered.connection.sock
        if self._socket is None:
            raise UpstreamUnavailable()  # The answer upgrades, and closes by the same header.
        self._reader = answered._original_response.fp  # As requests itself does.

    def send(self, text: str) -> None:
        """Send one message, unless the upstream has closed already: `messages` tells why."""
        if self._protocol.state is not OPEN:
            return
        self._protocol.send_text(text.encode())
        self._flush()

    def messages(self) -> Iterator[bytes]:
        """Each message as it arrives; raise UpstreamUnavailable at the end of the connection.

        Raises UpstreamMalformed for what is no WebSocket's frame or over the limit.
        """
        parts: list[bytes] = []
        while data := self._reader.read1(READ_BYTES):
            time.sleep(0)  # Lets others run: what the reader holds already is read without a wait.
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
        """Say goodbye, without waiting for an answer."""
        with suppress(OSError, UpstreamError):
            if self._protocol.state is OPEN:
                self._protocol.send_close(1000)
                self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)
