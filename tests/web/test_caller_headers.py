"""Keys and base URLs of stages are checked in order, and a refusal says what to send."""

import pytest
from testing.builders import KEY, make_app
from testing.conversation_forms import BASE as URL
from testing.conversation_forms import MAIN, STT, TEXT, TTS, converse, refused
from testing.fake_realtime import Readings

from parley.errors import ApiKeyMissing, UpstreamRejected
from parley.web.caller_headers import NAMES

TOKEN = "token-0123456789-abc"
QUOTED = "sk-“quoted”".encode().decode("latin-1")
KEY_HEADERS = {"stt": "X-STT-API-Key", "text": "X-Text-API-Key", "tts": "X-TTS-API-Key"}
URL_HEADERS = {"stt": "X-STT-Base-URL", "text": "X-Text-Base-URL", "tts": "X-TTS-Base-URL"}


@pytest.mark.parametrize("header", [*KEY_HEADERS.values(), "X-OpenAI-API-Key"])
@pytest.mark.parametrize("key", ["schlüssel", "two words", "tab\there", "sk-\xff", QUOTED])
@pytest.mark.parametrize("required", ["yes", "no"])
def test_a_key_that_no_header_may_carry_is_refused(header, key, required):
    """It was meant to be used, whichever rule applies, or even none; its header is named."""
    client = make_app(PARLEY_KEY_REQUIRED=required).test_client()
    for others in (MAIN, MAIN | dict.fromkeys(URL_HEADERS.values(), URL)):
        status, code, message = refused(client, {**others, header: key})
        assert (status, code) == (401, "api_key_missing")
        assert header in message


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
def test_a_missing_key_is_named(client, headers, named):
    """The message says for which stages, and in which headers it may be sent."""
    status, code, message = refused(client, headers)
    assert (status, code) == (401, "api_key_missing")
    assert len(message) < 200
    if named is None:
        assert message == ApiKeyMissing.message
    else:
        assert named in message
        assert message.count("-API-Key") == 1 + len(named.split()[1::2])


@pytest.mark.parametrize(
    ("tokens", "main", "wrong", "keyless"),
    [
        ("", KEY, {"X-TTS-Base-URL": "http://127.0.0.1/v1"}, "api_key_missing"),
        (TOKEN, TOKEN, {"X-TTS-API-Key": KEY}, "api_key_rejected"),
    ],
    ids=["keys", "tokens"],
)
def test_the_checks_are_made_in_order(tokens, main, wrong, keyless):
    """The keys or the token, a slot, the base URLs, the body: each is told before what follows."""
    app = make_app(PARLEY_CAPACITY="1", PARLEY_CALLER_TOKENS=tokens)
    client, slots = app.test_client(), app.extensions["parley"].slots
    main = {"X-OpenAI-API-Key": main}
    slots.take()
    if tokens:
        assert refused(client, {**MAIN, **wrong})[:2] == (401, keyless)
    else:
        assert refused(client, wrong)[1] == keyless
        assert refused(client, {**MAIN, **wrong, "X-STT-API-Key": "ü"})[1] == keyless
    assert refused(client, {**main, **wrong})[1] == "overloaded"
    slots.release()
    assert refused(client, {**main, **wrong})[1] == "base_url_refused"
    assert refused(client, main)[1] == "request_malformed"


@pytest.mark.parametrize("stage", KEY_HEADERS)
def test_no_part_of_a_stages_key_is_repeated_as_the_requests_id(client, stage):
    """The id is logged, and sent to every host of the conversation."""
    for name in (KEY[3:7], f"id-{KEY[6:12]}", KEY[-4:]):
        for headers, kept in (({KEY_HEADERS[stage]: KEY}, False), ({}, True)):
            answer = client.get("/healthz", headers={**headers, "X-Request-ID": name})
            assert (answer.headers["X-Request-ID"] == name) is kept


@pytest.mark.parametrize("stage", KEY_HEADERS)
def test_no_part_of_a_stages_key_is_logged(client, openai, logged, stage):
    """Neither as a model's name nor as an upstream's id, whichever host says it."""
    logged.set_level("INFO", "parley")
    said = b'{"text": "Hi.", "choices": [{"message": {"content": "Hi."}}]}'
    for url, body in ((STT, said), (TEXT, said), (TTS, b"ID3")):
        openai.post(url, content=body, headers={"x-request-id": f"req-{KEY[7:14]}"})
    headers = {"X-OpenAI-API-Key": "sk-another-key", KEY_HEADERS[stage]: KEY}
    headers |= dict.fromkeys(URL_HEADERS.values(), URL) | {"X-STT-API-Key": KEY}
    assert converse(client, headers, text_model=f"m-{KEY[7:14]}").status_code == 200
    assert "text_model= " in logged.text
    assert 'upstream_ids=",,"' in logged.text or "upstream_ids=,,\n" in logged.text
    assert KEY[7:14] not in logged.text


def test_no_key_is_logged_as_a_host(openai, logged):
    """Hosts are in lower case, and a key in that form tells nearly as much."""
    logged.set_level("INFO", "parley")
    host = f"https://{KEY[3:].lower()}.example/v1"
    openai.post(f"{host}/audio/speech", content=b"ID3")
    client = make_app(PARLEY_ALLOWED_BASE_URLS="*").test_client()
    assert converse(client, {**MAIN, "X-TTS-Base-URL": host}).status_code == 200
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
        assert converse(app.test_client(), headers, tts_model=name).status_code == 200
    assert "event=speech_reworded stage=tts model=\n" in logged.text
    assert "event=speech_reworded stage=tts model=fine\n" in logged.text
    assert KEY[7:14] not in logged.text


OTHERS = dict.fromkeys(KEY_HEADERS.values(), "sk-another-key")


@pytest.mark.parametrize(
    "headers",
    [{**MAIN, **OTHERS}, {**OTHERS, KEY_HEADERS["stt"]: KEY}],
    ids=["the main key, which is not used", "another stage's key"],
)
def test_an_upstreams_error_shows_no_key_of_the_request(client, openai, headers):
    """Neither in its words nor in its id, whichever key it is; what shows none is told."""
    told = []
    for shown in (KEY[7:14], "nothing"):
        error = {"json": {"error": {"message": f"No {shown}."}}, "status_code": 400}
        openai.post(TTS, headers={"x-request-id": f"req-{shown}"}, **error)
        [error] = converse(client, headers).json["errors"]
        told.append((error["message"].split(": ")[-1], error.get("upstream_request_id")))
    assert told == [(UpstreamRejected.message, None), ("No nothing.", "req-nothing")]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("key", [KEY, KEY[:12]])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "audio/mpeg"])
def test_a_key_in_the_place_of_a_name_is_refused(client, openai, field, key, accept):
    """It would be sent to whichever host the stage has, and shown as what was used."""
    headers = {**MAIN, **dict.fromkeys(URL_HEADERS.values(), URL), "Accept": accept}
    answer = converse(client, headers, **{field: key})
    [error] = answer.json["errors"]
    assert (answer.status_code, error["code"]) == (400, "option_invalid")
    assert f"'{field}'" in error["message"]
    assert KEY[3:12] not in f"{answer.headers}{answer.text}"
    assert not openai.called


def test_a_key_that_is_a_common_word_may_stand_in_a_name(client, openai):
    """As hosts on one's own machine take any, and examples write theirs."""
    headers = {"X-OpenAI-API-Key": "ollama", **dict.fromkeys(URL_HEADERS.values(), URL)}
    answer = converse(client, headers, text_model="ollama/llama3.2")
    assert answer.json["models_used"]["text"] == "ollama/llama3.2"
