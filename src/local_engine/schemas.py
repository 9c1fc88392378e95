"""What comes in: the fields of the three calls, their types and their limits."""

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from local_engine.sound import FORMATS

# The upstream's. The engine has one voice, and says everything in it.
VOICES = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx"]
VOICES += ["sage", "shimmer", "verse"]


class TranscriptionSchema(Schema):
    model = fields.String(required=True)
    file = fields.Raw(required=True)
    language = fields.String()
    initial_prompt = fields.String(data_key="prompt")  # faster-whisper's name for it
    response_format = fields.String(
        load_default="json", validate=OneOf(["json", "text", "verbose_json"])
    )
    temperature = fields.Float(load_default=0.0, validate=Range(0, 1))


def check_stop(stop: object) -> None:
    """Raise ValidationError for anything but a string or a list of them."""
    if not isinstance(stop, str | list) or not all(isinstance(text, str) for text in stop):
        raise ValidationError("Neither a string nor a list of strings.")


class ChatSchema(Schema):
    model = fields.String(required=True)
    messages = fields.List(fields.Dict(), required=True, validate=Length(1))
    max_tokens = fields.Integer(strict=True, validate=Range(1, 2**31 - 1))
    max_completion_tokens = fields.Integer(strict=True, validate=Range(1, 2**31 - 1))
    temperature = fields.Float(validate=Range(0, 2))
    top_p = fields.Float(validate=Range(0, 1))
    stop = fields.Raw(validate=check_stop)
    seed = fields.Integer(strict=True)
    stream = fields.Boolean()
    stream_options = fields.Dict(values=fields.Boolean())


class SpeechSchema(Schema):
    model = fields.String(required=True)
    input = fields.String(required=True, validate=Length(1, 4096))
    voice = fields.String(required=True, validate=OneOf(VOICES))
    response_format = fields.String(load_default="mp3", validate=OneOf(FORMATS))
    speed = fields.Float(load_default=1.0, validate=Range(0.25, 4))
