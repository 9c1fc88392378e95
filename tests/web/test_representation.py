"""Accept chooses among JSON, a stream and sound, as HTTP has it."""

import pytest
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from parley.web.representation import JSON, SOUND, STREAM, accepted


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (JSON, "")),
        ("*/*", (JSON, "")),
        ("text/*", (JSON, "")),
        ("text/html", (JSON, "")),
        ("image/png, */*;q=0.1", (JSON, "")),
        ("application/json", (JSON, "")),
        ("text/event-stream", (STREAM, "")),
        ("text/event-stream; charset=utf-8", (STREAM, "")),
        ("TEXT/Event-Stream", (STREAM, "")),
        ("text/event-stream, */*", (STREAM, "")),
        ("*/*, text/event-stream", (STREAM, "")),
        ("text/event-stream;q=0.5, application/json", (JSON, "")),
        ("text/event-stream;q=0", (JSON, "")),
        ("audio/mpeg", (SOUND, "mp3")),
        ("audio/wav;rate=24000", (SOUND, "wav")),
        ("audio/*", (SOUND, "")),
        ("audio/ogg", (JSON, "")),
        ("audio/pcm", (JSON, "")),
        ("audio/ogg, audio/mpeg;q=0.5", (SOUND, "mp3")),
        ("audio/wav;q=0.2, audio/mpeg;q=0.4, application/json;q=0.3", (SOUND, "mp3")),
        ("application/json;q=0.4, audio/*;q=0.5", (SOUND, "")),
        ("nonsense", (JSON, "")),
        ("text/event-stream;q=nonsense", (JSON, "")),
    ],
)
def test_the_heaviest_of_our_types_is_chosen(header, expected):
    """Weights count, parameters do not, and what is not ours means JSON."""
    assert accepted(parse_accept_header(header, MIMEAccept)) == expected
