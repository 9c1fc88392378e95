"""A WebSocket (RFC 6455) over a connection of urllib3: messages of bounded size, in time."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from requests import Response
from websockets import ClientProtocol, Frame, Headers, InvalidHandshake, Opcode, http11
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from parley.deadline import Deadline, let_others_run
from parley.errors import UpstreamMalformed, UpstreamUnavailable
from parley.wire.bodies import BROKEN, ErrorsTranslated

MESSAGE_BYTES = 2_000_000  # The largest message: one event of the Realtime API.
FRAMES = 4096  # How many frames may come before a message is whole, pings and empty ones included.
READ_BYTES = 2 * 1024  # Parsed at once, while nobody else is served: up to a thousand frames.
# At the level DEBUG the library logs every frame, and so what was said.
QUIET = logging.Logger("websocket", logging.CRITICAL + 1)


class Channel:
    """A WebSocket, for one greenlet: `handshake` are the headers that ask for it."""

    def __init__(self, url: str, deadline: Deadline) -> None:
        """Prepare one at an http(s) URL."""
        uri = parse_uri(f"ws{url.removeprefix('http')}")
        self._protocol = ClientProtocol(uri, state=OPEN, max_size=MESSAGE_BYTES, logger=QUIET)
        self.handshake = dict(self._protocol.connect().headers)
        self._deadline = deadline

    def open(self, response: Response) -> None:
        """Go on behind the headers of a 101; raise UpstreamMalformed if they are no handshake."""
        answered: Any = response.raw
        headers = Headers(response.headers.items())
        try:
            switched = http11.Response(answered.status, answered.reason, headers)
            self._protocol.process_response(switched)
        except InvalidHandshake:
            raise UpstreamMalformed() from None
        self._socket = answered.connection.sock
        if self._socket is None:  # The headers also say `Connection: close`.
            raise UpstreamUnavailable()
        self._reader = answered._original_response.fp  # As requests itself does.

    def send(self, text: str) -> None:
        """Send one message, unless the upstream has closed already; `messages` then says why."""
        if self._protocol.state is OPEN:
            self._protocol.send_text(text.encode())
            with ErrorsTranslated(), self._deadline.wait():
                self._flush()

    def messages(self) -> Iterator[bytes]:
        """Each message; raises UpstreamUnavailable at the end, UpstreamMalformed past a limit."""
        message, frames = bytearray(), 0
        while True:
            with ErrorsTranslated(), self._deadline.wait():
                self._flush()  # What is due, such as answers to pings.
                data = bytes(self._reader.read1(READ_BYTES))
            if not data:
                raise UpstreamUnavailable()
            let_others_run()  # The reader returns what it already holds at once.
            self._protocol.receive_data(data)
            for frame in self._protocol.events_received():
                frames += 1
                if not isinstance(frame, Frame) or frame.opcode in (Opcode.PING, Opcode.PONG):
                    continue
                if frame.opcode is Opcode.CLOSE:
                    raise UpstreamUnavailable()
                message += frame.data
                if frame.fin:
                    yield bytes(message)
                    message, frames = bytearray(), 0
            if self._protocol.parser_exc or frames > FRAMES:
                raise UpstreamMalformed()

    @property
    def closed_with(self) -> tuple[int, str]:
        """The code and the reason of the upstream's close frame; 1006 and blank without one."""
        closed = self._protocol.close_rcvd
        return (closed.code, closed.reason) if closed else (1006, "")

    def close(self) -> None:
        """Send a close frame if the socket takes it at once: this may be where a call was ended."""
        with suppress(*BROKEN):
            if self._protocol.state is OPEN:
                self._protocol.send_close(1000)
                self._socket.settimeout(0)
                self._flush()

    def _flush(self) -> None:
        if data := b"".join(self._protocol.data_to_send()):
            self._socket.sendall(data)
