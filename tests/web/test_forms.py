"""The form of a request, its options and what it accepts: whatever arrives keeps the contract."""

import json
from contextlib import nullcontext
from io import BytesIO

import pytest
import requests_mock
from flask import Request
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from testing.builders import KEY, make_app, wav
from urllib3 import encode_multipart_formdata
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header
from werkzeug.test import EnvironBuilder

from parley.errors import RequestMalformed
from parley.memory import UNCOUNTED_BYTES
from parley.web.representations import JSON, SOUND, STREAM, accepted
from parley.web.request_schema import ABSENT, HISTORY_BYTES, HISTORY_TURNS, SCHEMA, first_error
from parley.web.serving.slots import SLOT, Slot, Slots
from parley.web.uploads import TEXT_BYTES, fields_of

TURN = {"role": "user", "content": "My dog is called Rex."}
CODES = {"request_malformed", "audio_missing", "audio_empty", "audio_unsupported", "option_invalid"}
CLIENT = make_app().test_client()


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
        *(("voice", " nova ", "nova"), ("voice", "ü" * 200, "ü" * 200)),
        ("audio_format", " WAV", "wav"),
        ("language", " EN ", "en"),
        ("system_prompt", "Be brief.\nBe kind.", "Be brief.\nBe kind."),
        ("system_prompt", "é" * 8000, "é" * 8000),
        ("system_prompt", '"Yes" or "no".', '"Yes" or "no".'),
        ("system_prompt", r' "Say \"ja\".\nBe brief." ', 'Say "ja".\nBe brief.'),
        ("language", '"de"', "de"),
        ("system_prompt", "Never say null.", "Never say null."),
        ("history", json.dumps(json.dumps([TURN])), [TURN]),
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


@pytest.mark.parametrize("value", ["", "\u3000", '""', "NaN\n", '"null"', "(null)", *ABSENT])
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
        ("language", "auto", "639-1, such as en, or leave it out"),
        ("language", "é\u0131", "639-1"),
        ("system_prompt", "x" * (8001), "at most 8000 characters"),
        ("history", "{}", "a JSON list"),
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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (JSON, "")),
        ("*/*", (JSON, "")),
        ("text/*", (JSON, "")),
        ("image/png, */*;q=0.1", (JSON, "")),
        ("text/event-stream", (STREAM, "")),
        ("text/event-stream; charset=utf-8", (STREAM, "")),
        ("text/event-stream;q=0", (JSON, "")),
        ("audio/mpeg", (SOUND, "mp3")),
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


# Parts of a form, more or less as clients write them.
NAMES = st.sampled_from([*SCHEMA.fields, "x", ""]) | st.text()
FILE_NAMES = st.sampled_from([b"", b'; filename="a.wav"', b"; filename*=utf-8''%ff", b";"])
HEADERS = st.sampled_from([b"", b"\r\nContent-Type: audio/wav", b"\r\nX", b"\r\n: ", b"\n"])
CONTENTS = st.binary() | st.just(wav()) | st.text().map(str.encode)
HEAD = b"--b\r\nContent-Disposition: form-data; name="
PARTS = st.builds(
    lambda name, *others: HEAD + b'"%b"%b%b\r\n\r\n%b\r\n' % (name.encode(), *others),
    *(NAMES, FILE_NAMES, HEADERS, CONTENTS),
)
ENDS = st.sampled_from([b"--b--\r\n", b"--b", b"", b"--b--\r\ntrailing"])
FORMS = st.builds(lambda parts, end: b"".join(parts) + end, st.lists(PARTS, max_size=5), ENDS)
BOUNDARIES = st.sampled_from(["b", '"b"']).map("multipart/form-data; boundary={}".format)
LATIN = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]))


@settings(max_examples=150, deadline=None)
@given(st.binary() | FORMS, BOUNDARIES | LATIN)
def test_no_form_breaks_the_service(body: bytes, content_type: str):
    """A form is understood, or refused with one of the documented codes; never a 500."""
    with requests_mock.Mocker() as openai:
        openai.post(requests_mock.ANY, json={"text": ""})
        response = CLIENT.post(
            "/api/conversation/",
            data=body,
            headers={"X-OpenAI-API-Key": KEY},
            environ_overrides={"CONTENT_TYPE": content_type},
        )
    [error] = response.get_json()["errors"]
    if response.status_code == 206:
        assert error["code"] == "no_speech"
    else:
        assert response.status_code == 400
        assert error["code"] in CODES


def test_all_files_of_a_form_share_the_memory_of_one():
    """Whatever goes to disk, each is what was sent; what no field takes is not kept."""
    sent = {"x": bytes(90_000), "audio": b"1" * 90_000, "history": b"2" * 90_000, "y": b"3" * 9}
    builder = EnvironBuilder(
        method="POST", data={name: (BytesIO(data), "a") for name, data in sent.items()}
    )
    slot = Slot(Slots(1))
    fields = fields_of(Request(builder.get_environ() | {SLOT: slot}), ["audio", "history"])
    assert {name: file.read() for name, file in fields.items()} == {
        name: sent[name] for name in ("audio", "history")
    }
    assert 0 < slot.uploads.size <= UNCOUNTED_BYTES
    slot.close()


def read(head: str, content: bytes) -> dict:
    """The fields of a form with the field `voice`, and a part of this head, twice if it may be."""
    part = HEAD + f"{head}\r\n\r\n".encode() + content + b"\r\n"
    others = b"" if head.startswith("voice") else HEAD + b'"voice"\r\n\r\n1\r\n' + part
    return fields_in(others + part + b"--b--", ["voice"])


def fields_in(body: bytes, names: list[str]) -> dict:
    kind = "multipart/form-data; boundary=b"
    environ = EnvironBuilder(method="POST", data=body, content_type=kind).get_environ()
    return fields_of(Request(environ | {SLOT: Slot(Slots(1))}), names)


CHARSETS = {
    "utf-8": ("é", "é".encode()),
    "ISO-8859-1": ("é “x”", "é “x”".encode("cp1252")),
    "windows-1250": ("kůň", "kůň".encode("cp1250")),
    "shift_jis": ("①", "①".encode("cp932")),
    "utf-16": ("é", "é".encode("utf-16")),
    "cp999": ("é", "é".encode()),
    "idna": ("xn--9ca", b"xn--9ca"),
    "x": ("\ufffd", b"\xe9"),
}
"""What a text in each charset means, and its bytes; of what is no charset, or slow, in UTF-8."""


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_text_is_read_in_its_charset(charset):
    """The part's own, or the form's for what is no file (RFC 7578, 4.4 and 4.6), wherever it is."""
    text, written = CHARSETS[charset]
    assert read("voice\r\nContent-Type: text/plain", "é\r\n\r".encode()) == {"voice": "é\n\r"}
    assert read(f"voice\r\nContent-Type: text/plain; charset={charset}", written) == {"voice": text}
    sent = {"_charset_": charset.encode(), "voice": written, "history": written, "audio": written}
    for form in (sent, dict(reversed(sent.items()))):
        audio = ("a", written, f"audio/wav; charset={charset}")
        form |= {"audio": audio, "system_prompt": ("a", "é".encode())}
        body, _ = encode_multipart_formdata(form, "b")
        fields = fields_in(body, [*SCHEMA.fields])
        assert (fields["voice"], fields["system_prompt"]) == (text, "é")
        assert fields["audio"].read() == written
        history = fields["history"].read()
        assert history.decode("utf-8-sig") == text if text != "\ufffd" else history == written


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ("x", 9),
        ("x; filename=a", TEXT_BYTES + 1),
        ("x\r\nContent-Transfer-Encoding: base64", 9),
        ('""', 9),
    ],
)
def test_what_no_field_takes_is_passed_over(head, size):
    """It may come twice, encoded, or as a file that is longer than a text may be."""
    assert read(head, bytes(size)) == {"voice": "1"}


@pytest.mark.parametrize("encoding", ["", "7bit", "Binary", "base64", "quoted-printable"])
def test_no_field_is_passed_on_encoded(encoding):
    """Forms have no encodings any more (RFC 7578, 4.7); some clients still name those of none."""
    is_none = encoding in ("", "7bit", "Binary")
    told = "'voice' as it is, with no Content-Transfer-Encoding"
    with nullcontext() if is_none else pytest.raises(RequestMalformed, match=told):
        assert read(f"voice\r\nContent-Transfer-Encoding: {encoding}", b"Ukl") == {"voice": "Ukl"}
