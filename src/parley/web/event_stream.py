"""A conversation as a stream of events (WHATWG HTML, 9.2): frames, heartbeats, and its end."""

import base64
import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from flask import Response, current_app, g, request

from parley import log
from parley.conversation.reply_events import Event, SegmentStarted, SoundPiece, TextDelta
from parley.conversation.state import Conversation
from parley.conversation.streaming import StreamedReply
from parley.errors import CallerDisconnected, ConversationError, InternalError, Interrupted
from parley.held import UNFORESEEN
from parley.web.schemas import ConversationSchema, ErrorSchema
from parley.web.serving.request_connection import still_connected
from parley.web.serving.stopping import stopping

HEARTBEAT = b":\n\n"
HEARTBEAT_SECONDS = 5
"""How long a stream may be silent: proxies and routers cut what is silent for long."""

LOOK_SECONDS = 0.4
"""The shortest time between two looks at whether the caller is still connected."""


def event_stream(conversation: Conversation, reply: StreamedReply, audio_format: str) -> Response:
    """The answer that tells the reply while it is made."""
    frames = _frames(conversation, reply, audio_format, g.began, still_connected(request))
    response = current_app.response_class(frames, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would gather it.
    return response


def _frames(
    conversation: Conversation,
    reply: StreamedReply,
    audio_format: str,
    began: float,
    is_connected: Callable[[], bool],
) -> Iterator[bytes]:
    def frame(name: str, data: dict[str, Any], moment: float | None = None) -> bytes:
        at = round(1000 * ((moment or time.monotonic()) - began))
        return f"event: {name}\ndata: {json.dumps({'at': at, **data})}\n\n".encode()

    def told(event: Event) -> bytes:
        match event:
            case TextDelta(delta):
                return frame("text", {"delta": delta})
            case SegmentStarted(number, text, asked):
                about = {"segment": number, "text": text, "voice": reply.voice}
                asked_at = round(1000 * (asked - began))
                return frame("segment", {**about, "format": audio_format, "began": asked_at})
            case SoundPiece(number, piece, last):
                data = b'"data": "%s"' % base64.b64encode(piece)
                empty = frame("audio", {"segment": number, "data": "", "last": last})
                # Base64 needs no escapes; to have json look for some takes twice the time.
                return empty.replace(b'"data": ""', data)

    def part() -> Generator[bytes]:
        """The events up to the end of the reply, or until the service must stop."""
        model = conversation.models_used["stt"].name
        yield frame("transcript", {"text": conversation.transcript, "model": model})
        looked = sent = time.monotonic()
        # Whatever was taken counts as told, so that nothing may come between taking and telling.
        with closing(reply.events()) as pieces:
            for events in pieces:
                now = time.monotonic()
                if events or now - sent >= HEARTBEAT_SECONDS:
                    sent = now
                    yield b"".join(map(told, events)) or HEARTBEAT
                if now - looked >= LOOK_SECONDS:
                    looked = now
                    if not is_connected():
                        raise CallerDisconnected()
                    if stopping.is_due():
                        raise Interrupted()

    try:
        try:
            with closing(part()) as frames:
                yield from frames
        except UNFORESEEN as error:
            failure = _failure_of(error, conversation)
            reply.close()  # What failed before is the first failure.
            conversation.note(failure)
            if isinstance(error, CallerDisconnected):
                return
        reply.close()
        if conversation.failure:
            yield frame("error", ErrorSchema().dump(conversation.failure))
        yield frame("done", ConversationSchema().dump(replace(conversation, speech=None)))
    finally:
        reply.close()


def _failure_of(error: BaseException, conversation: Conversation) -> ConversationError:
    """The failure that ends a stream; raised on, gunicorn would log its text."""
    stage = "tts" if "text" in conversation.seconds else "text"
    if not isinstance(error, ConversationError):
        log.unexpected(error, stage)
        error = InternalError()
    if not isinstance(error, CallerDisconnected):
        error.stage = stage
    return error
