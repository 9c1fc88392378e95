"""Keys and base URLs of stages are checked in order, and a refusal says what to send."""

from io import BytesIO

import pytest
from testing.builders import KEY, make_app, wav
from testing.fake_realtime import Readings

from parley.errors import ApiKeyMissing, UpstreamRejected
from parley.web.caller_headers import NAMES

URL = "https://api.openai.com/v1"
KEY_HEADERS = {"stt": "X-STT-API-Key", "text": "X-Text-API-Key", "tts": "X-TTS-API-Key"}
URL_HEADERS = {"stt": "X-STT-Base-URL", "text": "X-Text-Base-URL", "tts": "X-TTS-Base-URL"}
MAIN = {"X-OpenAI-API-Key": KEY}


def refused(headers, app=None) -> tuple[int, str, str]:
    """The status, code and message of a request that holds nothing but headers."""
    client = (app or make_app()).test_client()
    with client.post("/api/conversation/", headers=headers) as answer:
        [error] = answer.json["errors"]
        return answer.status_code, error["code"], error["message"]


@pytest.mark.parametrize("header", KEY_HEADERS.values())
@pytest.mark.parametrize("key", ["schlüssel", "two words", "tab\there", "sk-\xff"])
@pytest.mark.parametrize("required", ["yes", "no"])
def test_a_stages_key_that_no_header_may_carry_is_refused(header, key, required):
    """It was meant to be used, whichever rule applies; the message names its header."""
    app = make_app(PARLEY_KEY_REQUIRED=required)
    for others in (MAIN, MAIN | dict.fromkeys(URL_HEADERS.values(), URL)):
        status, code, message = refused({**others, header: key}, app)
        assert (status, code) == (401, "api_key_missing")
        assert header in message


def test_a_main_key_that_no_header_may_carry_is_refused_where_it_is_not_used_too():
    """A mistake is told, not hidden."""
    headers = {**dict.fromkeys(URL_HEADERS.values(), URL), "X-OpenAI-API-Key": "schlüssel"}
    assert refused(headers)[:2] == (401, "api_key_missing")


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, None),
        ({"X-STT-API-Key": " "}, None),
        ({"X-STT-API-Key": KEY}, "for text and tts "),
        ({"X-STT-Base-URL": URL}, "for text and tts "),
        ({"X-STT-Base-URL": URL, "X-Text-API-Key": KEY}, "for tts "),
        ({"X-TTS-Base-URL": URL, "X-TTS-API-Key": KEY}, "for stt and text "),
        ({"X-STT-Base-URL": " ", "X-Text-API-Key": KEY}, "for stt and tts "),
    ],
)
def test_a_missing_key_is_named(headers, named):
    """The message says for which stages, and in which headers it may be sent."""
    status, code, message = refused(headers)
    assert (status, code) == (401, "api_key_missing")
    assert len(message) < 200
    if named is None:
        assert message == ApiKeyMissing.message
    else:
        assert named in message
        assert message.count("-API-Key") == 1 + len(named.split()[1::2])


def test_the_checks_are_made_in_order():
    """The keys, a slot, the base URLs, the body: each is told before what comes after it."""
    app = make_app(PARLEY_CAPACITY="1")
    slots = app.extensions["parley"].slots
    slots.take()
    wrong = {"X-TTS-Base-URL": "http://127.0.0.1/v1"}
    assert refused(wrong, app)[1] == "api_key_missing"
    assert refused({**MAIN, **wrong, "X-STT-API-Key": "ü"}, app)[1] == "api_key_missing"
    assert refused({**MAIN, **wrong}, app)[1] == "overloaded"
    slots.release()
    assert refused({**MAIN, **wrong}, app)[1] == "base_url_refused"
    assert refused(MAIN, app)[1] == "request_malformed"


def test_tokens_keep_the_order():
    """A token that is not known is told before a full service, and that before what is refused."""
    token = "token-0123456789-abc"
    app = make_app(PARLEY_CAPACITY="1", PARLEY_CALLER_TOKENS=token)
    slots = app.extensions["parley"].slots
    slots.take()
    wrong = {"X-TTS-API-Key": KEY}
    assert refused({**MAIN, **wrong}, app)[:2] == (401, "api_key_rejected")
    assert refused({"X-OpenAI-API-Key": token, **wrong}, app)[1] == "overloaded"
    slots.release()
    assert refused({"X-OpenAI-API-Key": token, **wrong}, app)[1] == "base_url_refused"
    assert refused({"X-OpenAI-API-Key": token}, app)[1] == "request_malformed"


@pytest.mark.parametrize("stage", KEY_HEADERS)
def test_no_part_of_a_stages_key_is_repeated_as_the_requests_id(stage):
    """The id is logged, and sent to every host of the conversation."""
    client = make_app().test_client()
    for name in (KEY[3:7], f"id-{KEY[6:12]}", KEY[-4:]):
        headers = {KEY_HEADERS[stage]: KEY, "X-Request-ID": name}
        assert client.get("/healthz", headers=headers).headers["X-Request-ID"] != name
        assert (
            client.get("/healthz", headers={"X-Request-ID": name}).headers["X-Request-ID"] == name
        )


@pytest.mark.parametrize("stage", KEY_HEADERS)
def test_no_part_of_a_stages_key_is_logged(openai, logged, stage):
    """Neither as a model's name nor as an upstream's id, whichever host says it."""
    logged.set_level("INFO", "parley")
    said = b'{"text": "Hi.", "choices": [{"message": {"content": "Hi."}}]}'
    for path, body in (("audio/transcriptions", said), ("chat/completions", said)):
        openai.post(f"{URL}/{path}", content=body, headers={"x-request-id": f"req-{KEY[7:14]}"})
    speech = {"content": b"ID3", "headers": {"x-request-id": f"req-{KEY[7:14]}"}}
    openai.post(f"{URL}/audio/speech", **speech)
    headers = {"X-OpenAI-API-Key": "sk-another-key", KEY_HEADERS[stage]: KEY}
    headers |= dict.fromkeys(URL_HEADERS.values(), URL) | {"X-STT-API-Key": KEY}
    form = {"audio": (BytesIO(wav()), "a.wav"), "text_model": f"m-{KEY[7:14]}"}
    client = make_app().test_client()
    with client.post("/api/conversation/", headers=headers, data=form) as answer:
        assert answer.status_code == 200, answer.text
    assert "text_model= " in logged.text
    assert 'upstream_ids=",,"' in logged.text or "upstream_ids=,,\n" in logged.text
    assert KEY[7:14] not in logged.text


def test_no_key_is_logged_as_a_host(openai, logged):
    """Hosts are in lower case, and a key in that form tells nearly as much."""
    logged.set_level("INFO", "parley")
    host = f"https://{KEY[3:].lower()}.example/v1"
    openai.post(f"{host}/audio/speech", content=b"ID3")
    headers = {**MAIN, "X-TTS-Base-URL": host}
    app = make_app(PARLEY_ALLOWED_BASE_URLS="*")
    form = {"audio": (BytesIO(wav()), "a.wav")}
    with app.test_client().post("/api/conversation/", headers=headers, data=form) as answer:
        assert answer.status_code == 200
    assert "tts_host= " in logged.text
    assert KEY[7:14].lower() not in logged.text


def test_no_key_is_logged_as_the_model_of_a_voice_that_rewords(upstream, logged, tmp_path):
    """Where the list takes any name for the Realtime API, a caller chooses what is logged."""
    logged.set_level("INFO", "parley")
    rows = "| model | default | interface |\n|---|---|---|\n| m | yes | {0} |\n| * | | {0} |\n"
    faces = {"stt": "transcriptions", "text": "chat", "tts": "realtime"}
    models = "".join(f"# {stage}\n\n{rows.format(face)}\n" for stage, face in faces.items())
    (tmp_path / "list.md").write_text(models)
    upstream.answers["tts"] = Readings(lambda text: "reworded")
    app = make_app(PARLEY_OPENAI_BASE_URL=upstream.url, PARLEY_MODEL_LIST=str(tmp_path / "list.md"))
    headers = {**MAIN, **dict.fromkeys(KEY_HEADERS.values(), "sk-another-key")}
    for name in (KEY[7:14], "fine"):
        form = {"audio": (BytesIO(wav()), "a.wav"), "tts_model": name}
        with app.test_client().post("/api/conversation/", headers=headers, data=form) as answer:
            assert answer.status_code == 200
    assert "event=speech_reworded stage=tts model=\n" in logged.text
    assert "event=speech_reworded stage=tts model=fine\n" in logged.text
    assert KEY[7:14] not in logged.text


def test_an_upstreams_error_shows_no_key_that_was_not_used(openai):
    """Each stage has its own key, and the main one is sent nowhere; a host may know it still."""
    openai.post(
        f"{URL}/audio/speech",
        status_code=400,
        json={"error": {"message": f"No {KEY[7:14]}."}},
        headers={"x-request-id": f"req-{KEY[7:14]}"},
    )
    headers = {**MAIN, **dict.fromkeys(KEY_HEADERS.values(), "sk-another-key")}
    form = {"audio": (BytesIO(wav()), "a.wav")}
    answer = make_app().test_client().post("/api/conversation/", headers=headers, data=form)
    [error] = answer.json["errors"]
    assert (error["message"], error.get("upstream_request_id")) == (UpstreamRejected.message, None)


def test_an_upstreams_error_shows_no_key_of_another_stage(openai):
    """Neither in its words nor in its id; what shows none is told."""
    headers = {
        KEY_HEADERS["stt"]: KEY,
        KEY_HEADERS["text"]: "sk-uuuuuuuu",
        KEY_HEADERS["tts"]: "sk-eeeeeeee",
    }
    told = []
    for shown in (KEY[7:14], "nothing"):
        openai.post(
            f"{URL}/audio/speech",
            status_code=400,
            json={"error": {"message": f"No {shown}."}},
            headers={"x-request-id": f"req-{shown}"},
        )
        form = {"audio": (BytesIO(wav()), "a.wav")}
        answer = make_app().test_client().post("/api/conversation/", headers=headers, data=form)
        [error] = answer.json["errors"]
        told.append((error["message"].split(": ")[-1], error.get("upstream_request_id")))
    assert told == [(UpstreamRejected.message, None), ("No nothing.", "req-nothing")]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("key", [KEY, KEY[:12]])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "audio/mpeg"])
def test_a_key_in_the_place_of_a_name_is_refused(openai, field, key, accept):
    """It would be sent to whichever host the stage has, and shown as what was used."""
    headers = {**MAIN, **dict.fromkeys(URL_HEADERS.values(), URL), "Accept": accept}
    form = {"audio": (BytesIO(wav()), "a.wav"), field: key}
    with make_app().test_client().post("/api/conversation/", headers=headers, data=form) as answer:
        [error] = answer.json["errors"]
        assert (answer.status_code, error["code"]) == (400, "option_invalid")
        assert f"'{field}'" in error["message"]
        assert KEY[3:12] not in f"{answer.headers}{answer.text}"
    assert not openai.called


def test_a_key_that_is_a_common_word_may_stand_in_a_name(openai):
    """As hosts on one's own machine take any, and examples write theirs."""
    headers = {"X-OpenAI-API-Key": "ollama", **dict.fromkeys(URL_HEADERS.values(), URL)}
    form = {"audio": (BytesIO(wav()), "a.wav"), "text_model": "ollama/llama3.2"}
    with make_app().test_client().post("/api/conversation/", headers=headers, data=form) as answer:
        assert answer.json["models_used"]["text"] == "ollama/llama3.2"
