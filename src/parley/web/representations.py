"""What a caller asks for: the representation that Accept names, and the options of the form."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request

from parley.errors import OptionInvalid
from parley.upstream.client import Options
from parley.upstream.speech_formats import AUDIO_FORMATS
from parley.web.services import services

JSON, STREAM, SOUND = "json", "stream", "sound"
OURS = {
    **dict.fromkeys(("application/json", "application/*", "text/*", "*/*"), (JSON, "")),
    "text/event-stream": (STREAM, ""),
    "audio/*": (SOUND, ""),
    **{kind: (SOUND, name) for name, kind in AUDIO_FORMATS.items() if name != "pcm"},
}
"""By media type, the representation that it asks for, and the audio format if it names one."""


def accepted(accept: Iterable[tuple[str, float]]) -> tuple[str, str]:
    """The representation that weighs most, and the audio format that it asks for, if it does.

    Types are without parameters (RFC 9110, 12.5.1). Of equal ones the first more specific counts.
    """
    for value, weight in sorted(accept, key=lambda item: -item[1]):
        media_type = value.partition(";")[0].strip().lower()
        if weight > 0 and media_type in OURS:
            return OURS[media_type]
    return JSON, ""


def asked_for(form: Mapping[str, Any]) -> tuple[str, Options]:
    """The representation, and the options; raise OptionInvalid where Accept forbids one."""
    representation, named = accepted(request.accept_mimetypes)
    chosen = {name: sent for name, sent in form.items() if name in Options.__match_args__}
    if named:
        sent = chosen.setdefault("audio_format", named)
        if sent != named and not request.accept_mimetypes[AUDIO_FORMATS[sent]]:
            raise OptionInvalid(f"Send 'audio_format' as {named}, as Accept asks, or leave it out.")
    return representation, Options(**{"system_prompt": services().settings.system_prompt, **chosen})
