"""The options of a conversation from the form to the upstream, and what of a reply is spoken."""

import base64
import io
import json
import wave

import pytest
from testing import coded_speech, representations
from testing import fake_realtime as realtime
from testing.builders import make_app
from testing.fake_openai import REPLY
from testing.fake_streams import streams_chat, streams_speech
from testing.representations import JSON, REPRESENTATIONS, SOUND, STREAM, bodies, body, post, told

TURNS = [
    {"role": "user", "content": "My dog is called Rex; he is brown."},
    {"role": "assistant", "content": "Hello Rex!"},
]
pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def spoken(upstream):
    """The upstream, which streams if it is asked to, and speaks in the format that it is asked."""
    upstream.answers |= {"text": streams_chat(), "tts": streams_speech()}
    return upstream


@REPRESENTATIONS
def test_what_is_not_chosen_is_the_default(spoken, accept):
    """mp3 in the voice alloy, no language, the operator's prompt, no earlier turns, no stream."""
    app = make_app(PARLEY_OPENAI_BASE_URL=spoken.url, PARLEY_SYSTEM_PROMPT="Be brief.")
    post(spoken, accept, app=app)
    speech = {"model": "tts-1", "input": REPLY, "voice": "alloy", "response_format": "mp3"}
    assert body(spoken, "tts") == speech
    assert b"language" not in bodies(spoken, "stt")[0]
    asked = body(spoken, "text")
    assert asked["stream"] is (accept == STREAM)
    system, user = asked["messages"]
    assert (system, user["role"]) == ({"role": "system", "content": "Be brief."}, "user")


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("model", "sent", "used"),
    [
        *(("tts-1", "nova", "nova"), ("tts-1", " coral ", "coral"), ("tts-1", "x y", "alloy")),
        *(("tts-1", "verse", "alloy"), ("gpt-realtime-2.1-mini", "fable", "alloy")),
    ],
)
def test_a_voice_that_the_model_does_not_have_falls_back_to_its_first(
    spoken, accept, model, sent, used
):
    """X-Voice, or a stream's `segment`, says which voice spoke; tts-1 has no verse."""
    if model != "tts-1":
        spoken.answers["tts"] = realtime.Readings()
    response = post(spoken, accept, tts_model=model, voice=sent)
    if model == "tts-1":
        assert body(spoken, "tts")["voice"] == used
    if accept == STREAM:
        assert {segment["voice"] for segment in representations.events(response, "segment")} == {
            used
        }
    else:
        assert response.headers["X-Voice"] == used


@pytest.mark.parametrize("accept", [JSON, SOUND])
def test_no_voice_is_told_where_nothing_was_spoken(upstream, accept):
    """X-Voice says what was used, not what would have been."""
    upstream.answers["tts"] = streams_speech(lambda text: "empty")
    response = post(upstream, accept, voice="nova")
    assert (response.status_code, response.json["errors"][0]["code"]) == (206, "upstream_malformed")
    assert "X-Voice" not in response.headers


@pytest.mark.parametrize("model", ["tts-1", "gpt-realtime-2.1-mini"])
@pytest.mark.parametrize("audio_format", ["mp3", "wav", "pcm"])
def test_every_interface_gives_every_format(spoken, audio_format, model):
    """What sends PCM alone is encoded here. A WAV says how long it is: players rely on it."""
    pcm = coded_speech.encode(REPLY, "pcm")
    if model != "tts-1":
        spoken.answers["tts"] = realtime.Readings()
    response = post(spoken, audio_format=audio_format, tts_model=model)
    assert (response.status_code, response.json["errors"]) == (200, [])
    if model == "tts-1":
        assert body(spoken, "tts")["response_format"] == audio_format
    speech = base64.b64decode(response.json["audio"])
    if audio_format == "mp3":
        assert speech.startswith(b"\xff")
    elif audio_format == "pcm":
        assert speech == pcm
    else:
        with wave.open(io.BytesIO(speech)) as file:
            assert file.readframes(file.getnframes()) == pcm


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("model", "field"), [("whisper-1", b"language"), ("gpt-transcribe", b"languages[]")]
)
def test_a_language_is_sent_as_the_model_takes_it(spoken, accept, model, field):
    """In one field of one name, of which the other models know nothing."""
    post(spoken, accept, stt_model=model, language="DE")
    [form] = bodies(spoken, "stt")
    assert form.count(b'name="language') == 1
    assert b'name="' + field + b'"\r\n\r\nde\r\n' in form


@REPRESENTATIONS
@pytest.mark.parametrize(("sent", "read"), [("", ""), (r" \ud83d\ude00 \udc00", " 😀 \ufffd")])
def test_the_callers_prompt_replaces_the_operators(spoken, accept, sent, read):
    """It comes first, before the earlier turns, and what was said now is last.

    A text that was cut within a character ends with U+FFFD: hosts refuse half of one.
    """
    history = json.dumps(TURNS).replace("Rex!", f"Rex!{sent}")
    post(spoken, accept, system_prompt=f'"Speak like a pirate.{sent}"', history=history)
    assert body(spoken, "text")["messages"] == [
        {"role": "system", "content": f"Speak like a pirate.{read}"},
        TURNS[0],
        {"role": "assistant", "content": f"Hello Rex!{read}"},
        {"role": "user", "content": "What is the capital of France?"},
    ]


@REPRESENTATIONS
@pytest.mark.parametrize(("name", "value"), [("voice", "a\nb"), ("history", b"{}")])
def test_a_wrong_option_is_refused_in_json_by_name(upstream, accept, name, value):
    """Whatever is accepted; nothing is sent to the upstream, and the other options count."""
    response = post(upstream, accept, stt_model="gpt-transcribe", **{name: value})
    assert response.status_code == 400
    [error] = response.json["errors"]
    assert (error["code"], error["stage"]) == ("option_invalid", "request")
    assert f"'{name}'" in error["message"]
    assert response.json["models_used"]["stt"] == "gpt-transcribe"
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("accept", "audio_format", "kind"),
    [
        ("audio/mpeg", "", "audio/mpeg"),
        ("audio/*", "", "audio/mpeg"),
        ("audio/*", "pcm", "audio/pcm"),
        ("audio/mpeg, audio/wav", "wav", "audio/wav"),
        ("audio/mpeg, audio/*;q=0.5", "pcm", "audio/pcm"),
        ("audio/mpeg;q=.5, application/json;q=.4", "", "audio/mpeg"),
        ("audio/mpeg, *; q=.2, */*; q=.2", "wav", "audio/wav"),
        ("audio/mpeg", "wav", None),
        ("audio/mpeg, audio/wav;q=0", "wav", None),
    ],
)
def test_the_format_agrees_with_what_is_accepted(spoken, accept, audio_format, kind):
    """Sound alone is of the kind that Accept names; an `audio_format` of another is refused."""
    response = post(spoken, accept, audio_format=audio_format, text_model="gpt-4.1")
    if kind:
        assert (response.status_code, response.mimetype) == (200, kind)
        assert body(spoken, "tts")["response_format"] == {"audio/mpeg": "mp3"}.get(kind, kind[6:])
    else:
        [error] = response.json["errors"]
        assert error["code"] == "option_invalid"
        assert "'audio_format'" in error["message"]
        assert response.json["models_used"]["text"] == "gpt-4.1"
        assert spoken.requests == []


@REPRESENTATIONS
@pytest.mark.parametrize("voice", ["nova", "a\nb"])
def test_pages_of_other_origins_may_read_what_headers_tell(spoken, accept, voice):
    """CORS hides headers unless told; a cache must give no caller another's representation."""
    origins = "https://app.example https://www.example"
    app = make_app(PARLEY_OPENAI_BASE_URL=spoken.url, PARLEY_ALLOWED_ORIGINS=origins)
    response = post(spoken, accept, {"Origin": "https://app.example"}, app, voice=voice)
    exposed = response.headers["Access-Control-Expose-Headers"]
    told = {name for name, _ in response.headers if name.startswith("X-")}
    assert told - {"X-Accel-Buffering"} <= set(exposed.split(", "))
    assert set(response.vary) == {"Accept", "Origin"}


MARKUP = "It is **Paris** 😀, see [the map](https://example.com/map)."
THOUGHT = "<think>France, so **Paris**.</think>\n\n"


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("written", "reply", "said", "code"),
    [
        (MARKUP, MARKUP, "ItisParis,seethemap.", None),
        (f"{THOUGHT}It is Paris.", "It is Paris.", "ItisParis.", None),
        (THOUGHT, "", "", "upstream_malformed"),
        ("😀 🎉", "😀 🎉", "", None),
    ],
    ids=["markup", "thoughts", "thoughts alone", "nothing to say"],
)
def test_markup_is_text_and_not_said_and_thoughts_are_neither(
    spoken, accept, written, reply, said, code
):
    """A reply of thoughts alone is as useless as none; one of emoji is whole, with empty sound."""
    spoken.answers["text"] = streams_chat(reply=lambda body: written)
    response = post(spoken, accept)
    if not code:
        assert response.mimetype == ("audio/mpeg" if accept == SOUND else accept)
    answer = told(response)
    assert (answer.reply, answer.code, bool(answer.sound)) == (reply, code, bool(said))
    inputs = [json.loads(sent)["input"] for sent in bodies(spoken, "tts")]
    assert "".join(inputs).replace(" ", "") == said
