"""What comes in and what goes out, field by field."""

import base64
import math
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_dump
from werkzeug.datastructures import FileStorage

from parley.audio import HEAD_BYTES, Recording, kind_of
from parley.errors import (
    AudioEmpty,
    AudioMissing,
    AudioTooLarge,
    AudioUnsupported,
    OptionInvalid,
    RequestError,
)
from parley.web.forms import AUDIO_BYTES

MODEL_CHARACTERS = 200


class RecordingField(fields.Field[Recording]):
    """An uploaded file, judged by its bytes; its name and declared type count for nothing."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Recording:
        if not isinstance(value, FileStorage):
            raise ValidationError([AudioMissing()])
        size = value.stream.seek(0, 2)
        value.stream.seek(0)
        kind = kind_of(value.stream.read(HEAD_BYTES))
        if size == 0:
            raise ValidationError([AudioEmpty()])
        if size > AUDIO_BYTES:
            raise ValidationError([AudioTooLarge()])
        if kind is None:
            raise ValidationError([AudioUnsupported()])
        return Recording(value.stream, size, kind)


class ModelField(fields.String):
    """A model's name, or anything else that fits in a line: the registry decides what it means."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = value.strip() if isinstance(value, str) else "\n"
        if len(text) > MODEL_CHARACTERS or not text.isprintable():
            raise ValidationError(
                [
                    OptionInvalid(
                        f"Send '{attr}' as one line of text of at most {MODEL_CHARACTERS} "
                        "characters, or leave it out."
                    )
                ]
            )
        return text


class ConversationRequestSchema(Schema):
    """The form of POST /api/conversation/."""

    class Meta:
        unknown = EXCLUDE

    audio = RecordingField(required=True, error_messages={"required": [AudioMissing()]})
    stt_model = ModelField()
    text_model = ModelField()
    tts_model = ModelField()


def first_error(invalid: ValidationError) -> RequestError:
    """The error to answer with when a form has several: the first in the schema's order."""
    messages: dict[str, list[RequestError]] = invalid.normalized_messages()  # type: ignore[no-untyped-call]
    return next(iter(messages.values()))[0]


class ErrorSchema(Schema):
    """One entry of `errors`."""

    stage = fields.String()
    code = fields.String()
    message = fields.String()
    upstream_status = fields.Integer()
    upstream_request_id = fields.String()
    retry_after = fields.Function(lambda error: seconds(error.retry_after))

    @post_dump
    def leave_out_what_is_not_known(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Keep an entry to what there is to say."""
        return {name: value for name, value in data.items() if value is not None}


class ErrorAnswerSchema(Schema):
    """What the whole app answers with where a request leads to no section."""

    success = fields.Boolean()
    errors = fields.List(fields.Nested(ErrorSchema))


class Base64Field(fields.Field[bytes]):
    """Bytes, written in base64 (RFC 4648, section 4)."""

    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return base64.b64encode(value or b"").decode("ascii")


class ModelsSchema(Schema):
    """The models of the three stages."""

    stt = fields.String(attribute="stt.name")
    text = fields.String(attribute="text.name")
    tts = fields.String(attribute="tts.name")


class ConversationSchema(ErrorAnswerSchema):
    """The answer of POST /api/conversation/: always six keys, in this order."""

    class Meta:
        fields = ("transcript", "text_response", "audio", "models_used", "success", "errors")

    transcript = fields.String()
    text_response = fields.String(attribute="reply")
    audio = Base64Field(attribute="speech")
    models_used = fields.Nested(ModelsSchema)


def seconds(duration: float | None) -> int | None:
    """A duration in whole seconds, rounded up, as `Retry-After` has it."""
    return None if duration is None else math.ceil(duration)
