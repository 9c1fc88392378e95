"""A conversation as a stream of events (WHATWG HTML, 9.2): frames, heartbeats, and its end."""

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from parley.conversation.spoken_reply import Event, SegmentStarted, SoundPiece, TextDelta

HEARTBEAT_SECONDS = 5
"""How long a stream may be silent: proxies and routers cut what is silent for longer."""

HEARTBEAT = b":\n\n"


def frame(name: str, data: dict[str, Any]) -> bytes:
    """One event; JSON has no line breaks, so that one line holds it."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Clock:
    """The milliseconds of a request, counted from when its headers were there."""

    def __init__(self, began: float) -> None:
        """`began` is of the monotonic clock, in seconds."""
        self._began = began

    def at(self, moment: float | None = None) -> int:
        """The moment, or now, in whole milliseconds."""
        return round(1000 * ((time.monotonic() if moment is None else moment) - self._began))


def frames(
    events: Iterable[Event | None], clock: Clock, voice: Callable[[], str], audio_format: str
) -> Iterator[bytes]:
    """The reply's events as frames, and heartbeats; empty where there is nothing to send yet.

    An empty frame lets the server look at the caller's connection, and is not sent.
    """
    sent = time.monotonic()
    for event in events:
        match event:
            case TextDelta(delta):
                data = frame("text", {"at": clock.at(), "delta": delta})
            case SegmentStarted(number, text, began):
                data = frame(
                    "segment",
                    {
                        "at": clock.at(),
                        "segment": number,
                        "text": text,
                        "voice": voice(),
                        "format": audio_format,
                        "began": clock.at(began),
                    },
                )
            case SoundPiece(number, piece, last):
                encoded = base64.b64encode(piece).decode("ascii")
                data = frame(
                    "audio", {"at": clock.at(), "segment": number, "data": encoded, "last": last}
                )
            case None:
                data = HEARTBEAT if time.monotonic() - sent >= HEARTBEAT_SECONDS else b""
        if data:
            sent = time.monotonic()
        yield data
