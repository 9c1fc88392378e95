"""A conversation as a stream of events (WHATWG HTML, 9.2): frames, heartbeats, and its end."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from flask import Response, current_app

from parley.conversation.event_order import Event, SoundPiece, SpokenSegment
from parley.conversation.spoken_reply import SpokenReply
from parley.conversation.stages import LOOK_SECONDS, Stages, with_stage
from parley.errors import ANY_ERROR, CallerDisconnected
from parley.web.answers import ConversationSchema, ErrorSchema
from parley.web.request_record import current_record
from parley.web.serving.connection_limits import end_of_streams

HEARTBEAT = b":\n\n"
HEARTBEAT_SECONDS = 5  # The longest silence: proxies and routers cut what is silent for long.
AUDIO = b'event: audio\ndata: {"at": %d, "segment": %d, "data": "%b", "last": %b}\n\n'
"""Base64 needs no escapes; to have json look for some takes twice the time."""


def event_stream(stages: Stages) -> Response:
    """The answer that tells the reply to a transcript while it is made."""
    body = EventStream(stages, current_record().began).frames()
    response = current_app.response_class(body, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would gather it.
    return response


class EventStream:
    """A streamed answer, which begins with its first frame."""

    def __init__(self, stages: Stages, began: float) -> None:
        self._stages, self._began = stages, began
        self._conversation, self._reply = stages.conversation, SpokenReply(stages)

    def frames(self) -> Iterator[bytes]:
        """The frames, up to `done`; nothing more to a caller who has left. Closes the reply."""
        failure = None
        try:
            yield from self._reply_frames()
        except ANY_ERROR as error:  # gunicorn would log its text.
            failure = with_stage(error, "tts" if "text" in self._conversation.seconds else "text")
        finally:
            self._reply.close()  # The conversation then has as its reply what was told.
        if failure:
            self._conversation.note(failure)
        if isinstance(failure, CallerDisconnected):
            return
        if self._conversation.failure:
            yield self._frame("error", ErrorSchema().dump(self._conversation.failure))
        yield self._frame("done", ConversationSchema().dump(self._conversation))

    def _reply_frames(self) -> Iterator[bytes]:
        """The frames up to the end of the reply, or until the service must stop."""
        model = self._conversation.models_used["stt"].name
        yield self._frame("transcript", {"text": self._conversation.transcript, "model": model})
        looked = sent = time.monotonic()
        # What `events` gives counts as told, so it is yielded before anything else may end this.
        for events in self._reply.events():
            now = time.monotonic()
            if events or now - sent >= HEARTBEAT_SECONDS:
                sent = now
                yield b"".join(map(self._frame_of, events)) or HEARTBEAT
            if now - looked >= LOOK_SECONDS:
                looked = now
                if not self._stages.caller_is_connected():
                    raise CallerDisconnected()
                end_of_streams.require_time()

    def _frame_of(self, event: Event) -> bytes:
        match event:
            case str(delta):
                return self._frame("text", {"delta": delta})
            case SpokenSegment(number, text, began=began):
                voice, kind = self._stages.client.voice, self._stages.client.options.audio_format
                about = {"segment": number, "text": text, "voice": voice, "format": kind}
                return self._frame("segment", {**about, "began": self._at(began)})
            case SoundPiece(number, piece, last):
                at, data = self._at(time.monotonic()), base64.b64encode(piece)
                return AUDIO % (at, number, data, b"true" if last else b"false")

    def _frame(self, name: str, data: dict[str, Any]) -> bytes:
        at = self._at(time.monotonic())
        return f"event: {name}\ndata: {json.dumps({'at': at, **data})}\n\n".encode()

    def _at(self, moment: float) -> int:
        """Milliseconds since the request's headers were there."""
        return round(1000 * (moment - self._began))
