"""Keys and base URLs in a request's headers: checked in order, and named in a refusal."""

import dataclasses
import socket
import threading
import time

import pytest
from testing.builders import ANY_MODEL, KEY, make_app
from testing.conversation_forms import BASE as URL
from testing.conversation_forms import DEFAULTS, MAIN, PATH, TTS, check, converse, refused
from testing.fake_realtime import Readings

from blueprints import BLUEPRINTS
from parley.base_urls import BaseUrl
from parley.errors import ApiKeyMissing, UpstreamRejected
from parley.web.app import create_app
from parley.web.caller_headers import (
    BASE_URL_HEADERS,
    KEY_HEADERS,
    NAMES,
    STAGE_KEY_HEADERS,
    STAGE_URL_HEADERS,
)
from parley.web.serving.slots import Slot
from parley.wire.transport import Transport

TOKEN = "token-0123456789-abc"
QUOTED = "sk-“quoted”".encode().decode("latin-1")
ON_OWN_HOSTS = dict.fromkeys(STAGE_URL_HEADERS.values(), URL)
OTHERS = dict.fromkeys(STAGE_KEY_HEADERS.values(), "sk-another-key")
OF_EACH_STAGE = pytest.mark.parametrize("header", STAGE_KEY_HEADERS.values())


@pytest.mark.parametrize("header", KEY_HEADERS.values())
@pytest.mark.parametrize("key", ["schlüssel", "two words", "tab\there", "sk-\xff", QUOTED])
@pytest.mark.parametrize("required", ["yes", "no"])
def test_a_key_that_no_header_may_carry_is_refused(header, key, required):
    """It was meant to be used, whichever rule applies, or even none; its header is named."""
    client = make_app(PARLEY_KEY_REQUIRED=required).test_client()
    for others in (MAIN, MAIN | ON_OWN_HOSTS):
        status, code, message = refused(client, {**others, header: key})
        assert (status, code) == (401, "api_key_missing")
        assert header in message


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, None),
        ({"X-STT-API-Key": KEY}, "for text and tts "),
        ({"X-STT-Base-URL": URL}, "for text and tts "),
        ({"X-STT-Base-URL": URL, "X-Text-API-Key": KEY}, "for tts "),
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
    client, other = app.test_client(), Slot(app.extensions["parley"].slots)
    main = {"X-OpenAI-API-Key": main}
    other.take()
    keyed = {**MAIN, **wrong} if tokens else {**MAIN, **wrong, "X-STT-API-Key": "ü"}
    assert refused(client, keyed)[:2] == (401, keyless)
    assert refused(client, {**main, **wrong})[1] == "overloaded"
    other.close()
    assert refused(client, {**main, **wrong})[1] == "base_url_refused"
    assert refused(client, main)[1] == "request_malformed"


@OF_EACH_STAGE
def test_no_part_of_a_stages_key_is_repeated_as_the_requests_id(client, header):
    """The id is logged, and sent to every host of the conversation."""
    for name in (KEY[3:7], f"id-{KEY[6:12]}", KEY[-4:]):
        for headers, kept in (({header: KEY}, False), ({}, True)):
            answer = client.get("/healthz", headers={**headers, "X-Request-ID": name})
            assert (answer.headers["X-Request-ID"] == name) is kept


@OF_EACH_STAGE
def test_no_part_of_a_stages_key_is_logged(openai, logged, header):
    """Not as a model's name, nor as an upstream's id, nor as a host, which is in lower case."""
    logged.set_level("INFO", "parley")
    host = f"https://{KEY[3:].lower()}.example/v1"
    said = b'{"text": "Hi.", "choices": [{"message": {"content": "Hi."}}]}'
    for path in ("audio/transcriptions", "chat/completions", "audio/speech"):
        content = b"ID3" if path.endswith("speech") else said
        openai.post(f"{host}/{path}", content=content, headers={"x-request-id": KEY[7:14]})
    client = make_app(PARLEY_ALLOWED_BASE_URLS="*").test_client()
    headers = dict.fromkeys(STAGE_URL_HEADERS.values(), host) | {header: KEY}
    assert converse(client, {**headers}, text_model=f"m-{KEY[7:14]}").status_code == 200
    for field in ("text_model= ", "stt_host= text_host= tts_host= ", "upstream_ids=,,\n"):
        assert field in logged.text.replace('",,"', ",,")
    assert KEY[7:14].lower() not in logged.text.lower()


def test_no_key_is_logged_as_the_model_of_a_voice_that_rewords(upstream, logged):
    """Where the list takes any name for the Realtime API, a caller chooses what is logged."""
    logged.set_level("INFO", "parley")
    upstream.answers["tts"] = Readings(lambda text: "reworded")
    hosts = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    client = make_app(**hosts, PARLEY_MODEL_LIST=str(ANY_MODEL)).test_client()
    for name in (KEY[7:14], "fine"):
        assert converse(client, {**MAIN, **OTHERS}, tts_model=name).status_code == 200
    assert "event=speech_reworded stage=tts model=\n" in logged.text
    assert "event=speech_reworded stage=tts model=fine\n" in logged.text
    assert KEY[7:14] not in logged.text


@pytest.mark.parametrize("header", ["X-OpenAI-API-Key", "X-STT-API-Key"])
def test_an_upstreams_error_shows_no_key_of_the_request(client, openai, header):
    """Neither in its words nor in its id, used or another stage's; what shows none is told."""
    told = []
    for shown in (KEY[7:14], "nothing"):
        error = {"json": {"error": {"message": f"No {shown}."}}, "status_code": 400}
        openai.post(TTS, headers={"x-request-id": f"req-{shown}"}, **error)
        [error] = converse(client, {**OTHERS, header: KEY}).json["errors"]
        told.append((error["message"].split(": ")[-1], error.get("upstream_request_id")))
    assert told == [(UpstreamRejected.message, None), ("No nothing.", "req-nothing")]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("key", [KEY, KEY[:12]])
def test_a_key_in_the_place_of_a_name_is_refused(client, openai, field, key):
    """It would be sent to whichever host the stage has, and shown as what was used."""
    answer = converse(client, {**MAIN, **ON_OWN_HOSTS}, **{field: key})
    [error] = check(answer, 400, "option_invalid")["errors"]
    assert f"'{field}'" in error["message"]
    assert KEY[3:12] not in f"{answer.headers}{answer.text}"
    assert not openai.called


def test_a_key_that_is_a_common_word_may_stand_in_a_name(client, openai):
    """As hosts on one's own machine take any, and examples write theirs."""
    headers = {"X-OpenAI-API-Key": "ollama", **ON_OWN_HOSTS}
    answer = converse(client, headers, text_model="ollama/llama3.2")
    assert answer.json["models_used"]["text"] == "ollama/llama3.2"


OF_EACH_URL = pytest.mark.parametrize(("name", "header"), BASE_URL_HEADERS.items())
STAGES = list(STAGE_URL_HEADERS)


def app_where(*answers: str, **variables: str):
    """The application, whose look-ups find one of these addresses after the other."""
    app, left = make_app(**variables), list(answers)

    def look_up(host: str, port: int, **_: object) -> list[tuple]:
        address = host if host == "127.0.0.1" else left.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    services = dataclasses.replace(app.extensions["parley"], transport=Transport(4, look_up))
    return create_app(services, BLUEPRINTS)


def refusal(app, header: str, url: str) -> str:
    """The message of the refusal of a base URL, before the form is read."""
    answer = app.test_client().post(PATH, headers={**MAIN, header: url})
    [error] = check(answer, 400, "base_url_refused")["errors"]
    assert answer.json["models_used"] == DEFAULTS
    return error["message"]


@OF_EACH_URL
@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://api.openai.com/v1", []),
        ("https://10.0.0.1/v1", []),
        ("no url", []),
        ("https://inside.example/v1", ["10.0.0.1"]),
    ],
)
def test_what_may_not_be_called_is_refused(name, header, url, found):
    """By its text, or once its name is looked up; the message names the header."""
    message = refusal(app_where(*found), header, url)
    assert f" in {header}" in message
    named = dataclasses.replace(BaseUrl.parse("https://x"), header=header)
    assert not found or message == named.refusal().message


@OF_EACH_URL
def test_a_name_that_changes_its_answer_gains_nothing(name, header, upstream):
    """The address that is connected to is the one that is checked, whatever the stage."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        url = f"https://rebind.example:{inside.getsockname()[1]}/v1"
        app = app_where("93.184.216.34", "127.0.0.1", PARLEY_OPENAI_BASE_URL=upstream.url)
        answer = converse(app.test_client(), {**MAIN, "X-TTS-API-Key": KEY, header: url})
        [error] = answer.json["errors"]
        assert error["code"] == "base_url_refused"
        assert f" in {header};" in error["message"]
        earlier = STAGES[: STAGES.index(name)] if name in STAGES else []
        assert [request.stage for request in upstream.requests] == earlier
        with pytest.raises(TimeoutError):
            inside.accept()


@OF_EACH_URL
def test_what_the_operator_allows_is_called(name, header, upstream):
    """The list of allowed base URLs holds for each header, by whole segments."""
    app = make_app(PARLEY_ALLOWED_BASE_URLS=upstream.url, PARLEY_OPENAI_BASE_URL=upstream.url)
    headers = {**MAIN, "X-TTS-API-Key": KEY, header: f"{upstream.url}/tenant"}
    assert converse(app.test_client(), headers).status_code == 200
    called = [each.stage for each in upstream.requests if each.path.startswith("/v1/tenant/")]
    assert called == ([name] if name in STAGES else STAGES)
    assert f" in {header}" in refusal(app, header, upstream.url.replace("/v1", "/v10"))


def test_all_base_urls_together_have_one_limit_of_time(monkeypatch):
    """Four names that nobody answers for take as long as one."""
    monkeypatch.setattr("parley.wire.transport.CONNECT_SECONDS", 1.5)
    gate = threading.Event()
    app = app_where()
    transport = Transport(4, lambda *_, **__: gate.wait(10))
    app.extensions["parley"] = dataclasses.replace(app.extensions["parley"], transport=transport)
    urls = {header: f"https://{name}.example/v1" for name, header in BASE_URL_HEADERS.items()}
    began = time.monotonic()
    told = refused(app.test_client(), {**MAIN, **urls})
    assert told[1] == "request_malformed"  # The body came next.
    assert time.monotonic() - began < 4.5
    gate.set()
