"""Options are read as they are meant, or refused with what to send instead; Accept is weighed."""

import json
from io import BytesIO

import pytest
from marshmallow import ValidationError
from testing.builders import wav
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from parley.web.representation import Representation, accepted
from parley.web.request_schema import (
    HISTORY_BYTES,
    HISTORY_TURNS,
    PROMPT_CHARACTERS,
    SCHEMA,
    first_error,
)

TURN = {"role": "user", "content": "My dog is called Rex."}


def load(name: str, value: object) -> dict[str, object]:
    """What the form means in which the option has this value; a history is always a file."""
    if name == "history":
        value = BytesIO(value if isinstance(value, bytes) else value.encode())
    form = SCHEMA.load({"audio": BytesIO(wav()), name: value})
    del form["audio"]
    return form


def turns(count: int, content: str = "x") -> str:
    return json.dumps([{"role": "user", "content": content}] * count)


LONGEST = turns(1, "x" * (HISTORY_BYTES - len(turns(1, ""))))


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("voice", " nova ", "nova"),
        ("voice", "af_bella(2)+af_sky", "af_bella(2)+af_sky"),
        ("voice", "ü" * 200, "ü" * 200),
        ("audio_format", " WAV", "wav"),
        ("language", " EN ", "en"),
        ("system_prompt", "Be brief.\nBe kind.", "Be brief.\nBe kind."),
        ("system_prompt", "é" * PROMPT_CHARACTERS, "é" * PROMPT_CHARACTERS),
        ("history", json.dumps([{**TURN, "name": "Eve"}]), [TURN]),
        ("history", b"\xef\xbb\xbf" + json.dumps([TURN]).encode(), [TURN]),
        ("history", b"\xef\xbb\xbf \n", []),
        ("history", turns(HISTORY_TURNS), json.loads(turns(HISTORY_TURNS))),
        ("history", LONGEST, json.loads(LONGEST)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_option_is_read_as_it_is_meant(name, value, meaning):
    """Up to its limit, without the space around a word, a history as a text or as a file."""
    assert load(name, value) == {name: meaning}


@pytest.mark.parametrize("value", ["", " ", "\t\r\n", "\u3000"])
@pytest.mark.parametrize("name", [name for name in SCHEMA.fields if name != "audio"])
def test_a_blank_option_is_as_if_it_were_not_sent(name, value):
    """Pages send the fields that nobody filled in, too."""
    assert load(name, value) == ({"history": []} if name == "history" else {})


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("voice", "a\nb", "one line of text"),
        ("voice", "x" * 201, "at most 200 characters"),
        ("audio_format", "ogg", "mp3 or wav or pcm"),
        ("language", "english", "ISO 639-1"),
        ("language", "é\u0131", "ISO 639-1"),
        ("system_prompt", "x" * (PROMPT_CHARACTERS + 1), "at most 8000 characters"),
        ("history", "{}", "a JSON list"),
        ("history", "[", "a JSON list"),
        ("history", "[" * 100_000, "a JSON list"),
        ("history", "[1]", "a JSON list"),
        ("history", '[{"role": "system", "content": "x"}]', '"user" or "assistant"'),
        ("history", '[{"role": "user"}]', '"content"'),
        ("history", '[{"role": "user", "content": [{"type": "text"}]}]', '"content"'),
        ("history", turns(HISTORY_TURNS + 1), "at most 100 turns"),
        ("history", LONGEST + " ", "256 KB"),
        ("history", b"\xff\xfe[", "a JSON list"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_option_is_named_with_what_to_send(name, value, advice):
    """One plain sentence that begins with the field's name."""
    with pytest.raises(ValidationError) as refusal:
        load(name, value)
    error = first_error(refusal.value)
    assert (error.code, error.status, error.stage) == ("option_invalid", 400, "request")
    assert error.message.startswith(f"Send '{name}' ")
    assert advice in error.message
    assert error.message.endswith(".")


JSON, STREAM, SOUND = Representation.JSON, Representation.STREAM, Representation.SOUND


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (JSON, "")),
        ("*/*", (JSON, "")),
        ("text/*", (JSON, "")),
        ("image/png, */*;q=0.1", (JSON, "")),
        ("text/event-stream", (STREAM, "")),
        ("text/event-stream; charset=utf-8", (STREAM, "")),
        ("TEXT/Event-Stream", (STREAM, "")),
        ("text/event-stream, */*", (STREAM, "")),
        ("text/event-stream;q=0", (JSON, "")),
        ("audio/mpeg", (SOUND, "mp3")),
        ("audio/wav;rate=24000", (SOUND, "wav")),
        ("audio/*", (SOUND, "")),
        ("audio/pcm", (JSON, "")),
        ("audio/wav;q=0.2, audio/mpeg;q=0.4, application/json;q=0.3", (SOUND, "mp3")),
        ("application/json;q=0.4, audio/*;q=0.5", (SOUND, "")),
        ("text/event-stream;q=nonsense", (JSON, "")),
    ],
)
def test_the_heaviest_of_our_types_is_chosen(header, expected):
    """Weights count, parameters do not, and what is not ours means JSON."""
    assert accepted(parse_accept_header(header, MIMEAccept)) == expected
