"""Schemas: what comes in and what goes out, field by field."""

import base64
import math
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_dump, pre_load
from werkzeug.datastructures import FileStorage

from parley.errors import (
    AudioEmpty,
    AudioMissing,
    AudioTooLarge,
    AudioUnsupported,
    OptionInvalid,
    RequestError,
)
from parley.memory import Spool
from parley.recordings import HEAD_BYTES, Recording, kind_of
from parley.web.option_fields import (
    AudioFormatField,
    HistoryField,
    LanguageField,
    LineField,
    SystemPromptField,
)
from parley.web.uploads import AUDIO_BYTES

AUDIO_ERRORS = {
    error.code: error for error in (AudioMissing, AudioEmpty, AudioTooLarge, AudioUnsupported)
}


class RecordingField(fields.Field[Recording]):
    """An uploaded file. Its bytes tell its kind; its name and its declared type are ignored."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Recording:
        if not isinstance(value, FileStorage):
            raise ValidationError(AudioMissing.code)
        size = value.stream.seek(0, 2)
        value.stream.seek(0)
        kind = kind_of(value.stream.read(HEAD_BYTES))
        if size == 0:
            raise ValidationError(AudioEmpty.code)
        if size > AUDIO_BYTES:
            raise ValidationError(AudioTooLarge.code)
        if kind is None:
            raise ValidationError(AudioUnsupported.code)
        return Recording(value.stream, size, kind)


class ConversationRequestSchema(Schema):
    """The form of POST /api/conversation/."""

    class Meta:
        unknown = EXCLUDE

    audio = RecordingField(required=True, error_messages={"required": AudioMissing.code})
    stt_model = LineField()
    text_model = LineField()
    tts_model = LineField()
    voice = LineField()
    audio_format = AudioFormatField()
    language = LanguageField()
    system_prompt = SystemPromptField()
    history = HistoryField()

    @pre_load
    def leave_out_blank(self, data: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Read a blank text as if it were not sent."""
        return {
            name: value
            for name, value in data.items()
            if not (isinstance(value, str) and not value.strip())
        }


def first_error(invalid: ValidationError) -> RequestError:
    """The error to answer with: that of the first invalid field, in the schema's order.

    The recording's field fails with the code of one of AUDIO_ERRORS, the others with a sentence for
    the caller.
    """
    messages: dict[str, list[str]] = invalid.normalized_messages()  # type: ignore[no-untyped-call]
    message = next(iter(messages.values()))[0]
    error = AUDIO_ERRORS.get(message)
    return error() if error else OptionInvalid(message)


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


class ErrorAnswerSchema(Schema):
    """The whole app's answer to an error that belongs to no section."""

    success = fields.Boolean()
    errors = fields.List(fields.Nested(ErrorSchema))


class Base64Field(fields.Field[Spool]):
    """A file in base64 (RFC 4648, section 4)."""

    def _serialize(self, value: Spool | None, attr: str | None, obj: Any, **kwargs: Any) -> str:
        if value is None:
            return ""
        value.seek(0)
        return base64.b64encode(value.read()).decode("ascii")


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
    """A duration in whole seconds, rounded up, as `Retry-After` takes it."""
    return None if duration is None else math.ceil(duration)
