"""The form of a conversation: what each field means, and the error of one that is wrong."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, cast

from flask import Request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load
from marshmallow.validate import Length, OneOf, Predicate, Regexp

from parley.errors import AudioEmpty, AudioMissing, AudioTooLarge, AudioUnsupported, OptionInvalid
from parley.memory import Spool
from parley.recordings import AUDIO_BYTES, HEAD_BYTES, Recording, kind_of
from parley.upstream.speech_formats import AUDIO_FORMATS
from parley.web.caller_headers import require_no_key_in
from parley.web.request_record import current_record
from parley.web.uploads import HISTORY_BYTES, fields_of

LINE_CHARACTERS = 200
PROMPT_CHARACTERS = 8000
HISTORY_TURNS = 100
# What clients write where there is no text: JavaScript, JSON, Python, Swift, Go and Objective-C.
ABSENT = ("", "undefined", "null", "None", "NaN", "nil", "<nil>", "(null)", "<null>")

# What an option is to be sent as: `first_error` makes a sentence of it.
LINE = f"one line of text of at most {LINE_CHARACTERS} characters, or leave it out"
FORMAT = " or ".join(AUDIO_FORMATS)
LANGUAGE = "the two letters of ISO 639-1, such as en, or leave it out"
PROMPT = f"a text of at most {PROMPT_CHARACTERS} characters"
HISTORY = (
    f"a JSON list of at most {HISTORY_TURNS} turns and {HISTORY_BYTES // 1024} KB, each "
    '{"role": "user" or "assistant", "content": "…"}'
)


def unquoted(sent: Any) -> Any:
    """A text without the quotes of JSON that converters, such as Retrofit's, put round it."""
    if isinstance(sent, str) and sent.lstrip().startswith('"'):
        with suppress(ValueError):
            return json.loads(sent)
    return sent


def turns_of(file: Spool) -> list[dict[str, str]]:
    """The earlier turns in a file of JSON; none if it is blank or ABSENT."""
    text, turns = file.read(HISTORY_BYTES + 1), []
    try:
        sent: Any = text.decode("utf-8-sig", "replace").strip()
        sent = sent if sent in ABSENT else json.loads(text)
        sent = [] if sent in ABSENT else json.loads(sent) if isinstance(sent, str) else sent
    except (ValueError, RecursionError):
        sent = None
    for turn in sent if isinstance(sent, list) else [None]:
        match turn:
            case {"role": "user" | "assistant" as role, "content": str(content)}:
                turns.append({"role": role, "content": content})
            case _:
                raise ValidationError(HISTORY)
    if len(turns) > HISTORY_TURNS or len(text) > HISTORY_BYTES:
        raise ValidationError(HISTORY)
    return turns


def line() -> fields.String:
    """A model's name, a voice, or any other line of text: who uses it decides what it means."""
    return fields.String(
        pre_load=str.strip,
        validate=[Length(max=LINE_CHARACTERS, error=LINE), Predicate("isprintable", error=LINE)],
    )


class ConversationRequestSchema(Schema):
    """The form of POST /api/conversation/, as `fields_of` gives it: all but two are texts."""

    audio = fields.Raw(required=True)
    stt_model = line()
    text_model = line()
    tts_model = line()
    voice = line()
    audio_format = fields.String(
        pre_load=[str.strip, str.lower], validate=OneOf(AUDIO_FORMATS, error=FORMAT)
    )
    language = fields.String(
        pre_load=str.strip, validate=Regexp("^[A-Za-z]{2}$", error=LANGUAGE), post_load=str.lower
    )
    system_prompt = fields.String(validate=Length(max=PROMPT_CHARACTERS, error=PROMPT))
    history = fields.Raw(pre_load=turns_of)

    @pre_load
    def leave_out_blank(self, data: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Read a blank or ABSENT text as if it were not sent."""
        texts = {name: unquoted(sent) for name, sent in data.items()}
        return {name: x for name, x in texts.items() if str(x).strip() not in ABSENT}


SCHEMA = ConversationRequestSchema(unknown=EXCLUDE)


def form_of(request: Request) -> dict[str, Any]:
    """What a request's form means, with the recording as `audio`.

    Raises RequestMalformed, or the error of the first field that is wrong. The request's record has
    the valid ones even then, since its answer names the models; but none if one may hold a key.
    """
    sent, invalid = fields_of(request, SCHEMA.fields), None
    try:
        form = SCHEMA.load(sent)
    except ValidationError as error:
        form, invalid = error.valid_data, error
    require_no_key_in(form, request.headers)
    current_record().form = form
    recording = recording_of(sent.get("audio"))
    if invalid:
        raise first_error(invalid)
    return {**form, "audio": recording}


def recording_of(file: object) -> Recording:
    """An uploaded file, its kind told by its bytes alone; raise the error of one that cannot be."""
    if not isinstance(file, Spool):
        raise AudioMissing()
    if file.size == 0:
        raise AudioEmpty()
    if file.size > AUDIO_BYTES:
        raise AudioTooLarge()
    kind = kind_of(file.read(HEAD_BYTES))
    if kind is None:
        raise AudioUnsupported()
    return Recording(cast(IO[bytes], file), file.size, kind)


def first_error(invalid: ValidationError) -> OptionInvalid:
    """The error of the first option that is wrong, in the schema's order: how it is to be sent."""
    name, [message, *_] = next(iter(invalid.messages_dict.items()))
    return OptionInvalid(f"Send '{name}' as {message}.")
