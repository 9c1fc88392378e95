"""What comes in: the fields of the three calls, their types and their limits."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, pre_load
from marshmallow.validate import Length, OneOf, Range
from werkzeug.datastructures import FileStorage

from local_engine.sound import FORMATS

ROLES = ["system", "developer", "user", "assistant", "tool"]
TRANSCRIPT_FORMATS = ["json", "text", "verbose_json"]
# The upstream's voices. All are spoken in the engine's one voice.
VOICES = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()


class RequestSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    @pre_load
    def drop_nulls(self, data: Any, **_: Any) -> Any:
        """The upstream takes null for an optional field that was not sent."""
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


class TranscriptionSchema(RequestSchema):
    model = fields.String(required=True)
    file = fields.Raw(required=True, validate=lambda file: isinstance(file, FileStorage))
    language = fields.String(load_default=None)
    prompt = fields.String(load_default=None)
    response_format = fields.String(load_default="json", validate=OneOf(TRANSCRIPT_FORMATS))
    temperature = fields.Float(load_default=0.0, validate=Range(0, 1))


class MessageSchema(RequestSchema):
    role = fields.String(required=True, validate=OneOf(ROLES))
    content = fields.Raw()  # a string or a list of parts: llama.cpp reads both


class Stop(fields.List):
    """One string or several; always read as several."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return super()._deserialize([value] if isinstance(value, str) else value, *args, **kwargs)


class ChatSchema(RequestSchema):
    model = fields.String(required=True)
    messages = fields.List(fields.Nested(MessageSchema), required=True, validate=Length(min=1))
    max_tokens = fields.Integer(strict=True, validate=Range(min=1))
    max_completion_tokens = fields.Integer(strict=True, validate=Range(min=1))
    temperature = fields.Float(load_default=0.0, validate=Range(0, 2))
    top_p = fields.Float(validate=Range(0, 1))
    stop = Stop(fields.String(validate=Length(min=1)), validate=Length(max=4))
    seed = fields.Integer(strict=True)
    stream = fields.Boolean(load_default=False)
    stream_options = fields.Dict(values=fields.Boolean())


class SpeechSchema(RequestSchema):
    model = fields.String(required=True)
    input = fields.String(required=True, validate=Length(1, 4096))
    voice = fields.String(required=True, validate=OneOf(VOICES))
    response_format = fields.String(load_default="mp3", validate=OneOf(FORMATS))
    speed = fields.Float(load_default=1.0, validate=Range(0.25, 4))
