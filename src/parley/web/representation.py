"""Which representation of a conversation a request accepts: JSON, a stream of events, or sound."""

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_options_header

from parley.upstream.speech_formats import AUDIO_FORMATS

JSON, STREAM, SOUND = "json", "stream", "sound"
OURS = {
    **dict.fromkeys(("application/json", "application/*", "text/*", "*/*"), (JSON, "")),
    "text/event-stream": (STREAM, ""),
    "audio/*": (SOUND, ""),
    **{kind: (SOUND, name) for name, kind in AUDIO_FORMATS.items() if name != "pcm"},
}
"""By media type, the representation that it asks for, and the audio format if it names one."""


def accepted(accept: MIMEAccept) -> tuple[str, str]:
    """The representation that weighs most, and the audio format that it asks for, if it does.

    Types are without parameters (RFC 9110, 12.5.1). Of equal ones the first more specific counts.
    """
    for value, weight in sorted(accept, key=lambda item: -item[1]):
        media_type = parse_options_header(value)[0].lower()
        if weight > 0 and media_type in OURS:
            return OURS[media_type]
    return JSON, ""
