"""Answers: fields, statuses, JSON with speech, what exceptions mean, and every answer's headers."""

import base64
import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema, fields, post_dump
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from parley import errors
from parley.conversation.stages import Conversation, with_stage
from parley.memory import Spool

# Encoded at once: the whole would be in memory four times. Multiples of three need no padding.
PIECE_BYTES = 48 * 1024
EMPTY_AUDIO = b'"audio":""'  # Speech goes there; no text in JSON looks so: its quotes are escaped.


class ErrorSchema(Schema):
    """One entry of `errors`."""

    stage = fields.String()
    code = fields.String()
    message = fields.String()
    upstream_status = fields.Integer()
    upstream_request_id = fields.String()
    retry_after = fields.Function(lambda error: seconds(error.retry_after))

    @post_dump
    def leave_out_unknown(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Leave out the keys that have no value."""
        return {name: value for name, value in data.items() if value is not None}


class ModelsSchema(Schema):
    stt = fields.String(attribute="stt.name")
    text = fields.String(attribute="text.name")
    tts = fields.String(attribute="tts.name")


class ConversationSchema(Schema):
    """The answer of POST /api/conversation/: always six keys, in this order."""

    transcript = fields.String()
    text_response = fields.String(attribute="reply")
    audio = fields.Constant("")  # `json_of` puts the speech there.
    models_used = fields.Nested(ModelsSchema)
    success = fields.Function(lambda conversation: conversation.failure is None)
    errors = fields.List(fields.Nested(ErrorSchema), attribute="failures")


ERROR_ANSWER = ConversationSchema(only=("success", "errors"))  # Of what belongs to no section.


def seconds(duration: float | None) -> int | None:
    """A duration in whole seconds, rounded up, as `Retry-After` takes it."""
    return None if duration is None else math.ceil(duration)


def status_of(conversation: Conversation) -> int:
    """The HTTP status: the failure's own, or 206 where there is a transcript to return."""
    if conversation.failure is None:
        return 200
    return 206 if conversation.transcript else conversation.failure.status


def json_of(conversation: Conversation, schema: Schema) -> Response:
    """The answer in JSON, with its status and headers; it closes the speech, which is `audio`."""
    text = current_app.json.dumps(schema.dump(conversation), separators=(",", ":")).encode() + b"\n"
    response = current_app.response_class(text, mimetype="application/json")
    if speech := conversation.speech:
        head, _, tail = text.partition(EMPTY_AUDIO)
        response.response = _pieces(head + EMPTY_AUDIO[:-1], speech, EMPTY_AUDIO[-1:] + tail)
        response.content_length = len(text) + 4 * ((speech.size + 2) // 3)
    response.status_code = status_of(conversation)
    response.retry_after = seconds(getattr(conversation.failure, "retry_after", None))
    return response


def _pieces(head: bytes, speech: Spool, tail: bytes) -> Iterator[bytes]:
    with closing(speech):
        for start in range(0, speech.size or 1, PIECE_BYTES):
            piece = base64.b64encode(speech.read(PIECE_BYTES))
            first, last = start == 0, start + PIECE_BYTES >= speech.size
            yield (head if first else b"") + piece + (tail if last else b"")


ABORTS = {
    400: errors.RequestMalformed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.AudioTooLarge,  # No request of that size could hold an allowed file.
}  # By the status of Werkzeug's exception, the error that it means.


def answer_exception(exception: Exception) -> Response:
    """The whole app's answer to an exception; the conversation has one of its own."""
    return json_of(Conversation({}, failure=error_of(exception)), ERROR_ANSWER)


def error_of(exception: Exception) -> errors.ConversationError:
    """The error of ours that `exception` is or means; an unexpected exception is logged."""
    match exception:
        case HTTPException(code=int(status)) if status in ABORTS:
            return ABORTS[status]()
        case HTTPException(code=int(status)):  # A section aborted: 415 is `unsupported_media_type`.
            error = errors.RequestError(exception.description or exception.name)
            error.code, error.status = exception.name.lower().replace(" ", "_"), status
            return error
    return with_stage(exception, "request")


def add_promised_headers(response: Response) -> Response:
    """Add what the status promises; caches keep nothing but what says so itself."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.vary.add("Accept")  # flask-cors adds Origin.
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal := request.routing_exception, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(refusal.valid_methods or ()))
    return response
