"""The schemas of the answers, field by field."""

import math
from typing import Any

from marshmallow import Schema, fields, post_dump


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
    audio = fields.Constant("")  # `json_with_speech` puts the speech there.
    models_used = fields.Nested(ModelsSchema)


def seconds(duration: float | None) -> int | None:
    """A duration in whole seconds, rounded up, as `Retry-After` takes it."""
    return None if duration is None else math.ceil(duration)
