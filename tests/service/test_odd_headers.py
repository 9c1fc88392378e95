"""Odd and repeated headers, and other places of a request, choose no host and no key."""

import json
import threading
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from types import SimpleNamespace

import pytest
import requests
from testing import fake_openai as fake
from testing.builders import KEY, make_app, wav
from testing.gunicorn_process import serving
from testing.raw_callers import connect, until_closed
from testing.recording_hosts import secret, shows
from werkzeug.serving import make_server

from parley.web.caller_headers import BASE_URL_HEADERS, CREDENTIAL_HEADERS

TOKEN, OTHER = secret(), secret()
COMMAS = "sk-Zq8v,X3mK7pT2,wR9yL4nB6cD1"
LENT = {"PARLEY_OPENAI_API_KEY": secret(), "PARLEY_TTS_API_KEY": secret()}
FORM = requests.Request("POST", "http://x", files={"audio": ("a.wav", wav())}).prepare()
PATH = "/api/conversation/"
SPELLINGS = {
    "underscores": "X_TTS_Base_URL: {url}",
    "one underscore": "X-TTS_Base-URL: {url}",
    "CGI": "HTTP_X_TTS_BASE_URL: {url}",
    "space before the colon": "X-TTS-Base-URL : {url}",
    "space first": "X-A: b\r\n X-TTS-Base-URL: {url}",
    "folded": "X-TTS-Base-URL:\r\n {url}",
    "bare CR": "X-A: b\rX-TTS-Base-URL: {url}",
    "bare LF": "X-A: b\nX-TTS-Base-URL: {url}",
    "NUL": "X-TTS-Base-URL\0: {url}",
    "forwarded": "Forwarded: host={host}\r\nX-Forwarded-Host: {host}\r\nX-Forwarded-Server: {host}",
    "contradicting": "X-Forwarded-Proto: https\r\nX-Forwarded-SSL: off",
    "rewritten": "X-Original-URL: {url}\r\nX-Rewrite-URL: {url}\r\nX-Forwarded-Prefix: {url}",
    "proxy": "Proxy: {url}\r\nHTTP-Proxy: {url}",
    "CGI's own": "SCRIPT_NAME: {url}\r\nPATH_INFO: {url}\r\nREMOTE_USER: {key}",
    "HTTP/2": "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nX-Host: {host}",
    "a key elsewhere": "Api-Key: {key}\r\nProxy-Authorization: Bearer {key}\r\nCookie: {key}",
}
BROKEN = ("space before the colon", "space first", "folded", "bare CR", "bare LF", "NUL")


@pytest.fixture(scope="module", params=["own keys", "tokens"])
def served(request, tmp_path_factory):
    """The service with a host for speech, and a host that callers could name; all is allowed."""
    with ExitStack() as opened:
        main, voice, other = (opened.enter_context(fake.running()) for _ in range(3))
        variables = {
            "PARLEY_OPENAI_BASE_URL": main.url,
            "PARLEY_TTS_BASE_URL": voice.url,
            "PARLEY_ALLOWED_BASE_URLS": "*",
            "FORWARDED_ALLOW_IPS": "*",
            "GUNICORN_CMD_ARGS": "--access-logfile -",
        }
        if request.param == "tokens":
            variables |= {**LENT, "PARLEY_CALLER_TOKENS": TOKEN}
        log = tmp_path_factory.mktemp("service") / "log"
        service = opened.enter_context(serving(log, variables))
        yield service, main, voice, other, request.param == "tokens"


def ask(served, target=PATH, version="1.1", lines="", trailers="") -> bytes:
    """The answer to a conversation; whatever it was, no key is where it does not belong."""
    service, main, voice, other, has_tokens = served
    for upstream in (main, voice, other):
        upstream.requests.clear()
    token = TOKEN if has_tokens else KEY
    head = f"POST {target} HTTP/{version}\r\nHost: x\r\nX-OpenAI-API-Key: {token}\r\n"
    head += f"{lines}\r\n" if lines else ""
    head += f"Content-Type: {FORM.headers['Content-Type']}\r\nConnection: close\r\n"
    if trailers:
        body = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(FORM.body), FORM.body, trailers.encode())
        head += "Transfer-Encoding: chunked\r\n\r\n"
    else:
        body = FORM.body
        head += f"Content-Length: {len(body)}\r\n\r\n"
    with connect(service) as caller:
        caller.sendall(head.encode() + body)
        answer = until_closed(caller)
    assert other.requests == []
    expected = {
        main: LENT["PARLEY_OPENAI_API_KEY"] if has_tokens else KEY,
        voice: LENT["PARLEY_TTS_API_KEY"] if has_tokens else None,
    }
    for upstream, key in expected.items():
        foreign = {TOKEN, KEY, *LENT.values()} - {key}
        for request in upstream.requests:
            assert request.headers.get("authorization") == (f"Bearer {key}" if key else None)
            assert not any(shows(request.sent, each) for each in foreign)
    for each in (TOKEN, KEY, *LENT.values()):
        assert not shows(answer, each)
        assert not shows(service.log.encode(), each)
    return answer


def filled(text: str, other) -> str:
    host = other.url.removeprefix("http://").removesuffix("/v1")
    return text.format(url=other.url, host=host, key=KEY, path=PATH)


def is_answered_as_usual(served, answer: bytes) -> bool:
    """Whether three calls were made where they always are; else the request was refused whole."""
    _, main, voice, *_ = served
    calls = [request.stage for request in (*main.requests, *voice.requests)]
    if answer[8:13] == b" 200 ":
        assert calls == ["stt", "text", "tts"]
        return True
    assert calls == []
    [error] = json.loads(answer.partition(b"\r\n\r\n")[2])["errors"]
    assert error["code"] in ("request_malformed", "not_found")
    return False


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_odd_spelling_is_refused_or_does_nothing(served, spelling, version):
    """It is no header of ours for any reader: neither one's host nor one's key is taken from it."""
    lines = filled(SPELLINGS[spelling], served[3])
    answer = ask(served, version=version, lines=lines)
    assert is_answered_as_usual(served, answer) is (spelling not in BROKEN)


@pytest.mark.parametrize(
    ("target", "answered"),
    [
        ("{url}/..{path}", False),
        ("http://{key}@{host}{path}", True),
        ("{path}?X-TTS-Base-URL={url}&api_key={key}", True),
        ("{path};X-TTS-Base-URL={url}", False),
        ("//{host}{path}", False),
        ("/{key}", False),
        ("/%0a{key}", False),
    ],
)
def test_an_address_chooses_no_host(served, target, answered):
    """Neither an absolute one nor its query, and no part of it is logged."""
    assert is_answered_as_usual(served, ask(served, filled(target, served[3]))) is answered


def test_a_trailer_is_no_header(served):
    trailers = "X-TTS-Base-URL: {url}\r\nX-OpenAI-Base-URL: {url}\r\nX-OpenAI-API-Key: {key}\r\n"
    assert is_answered_as_usual(served, ask(served, trailers=filled(trailers, served[3])))


@contextmanager
def development_server(base_url):
    """The service as `flask run` serves it."""
    server = make_server("127.0.0.1", 0, make_app(PARLEY_OPENAI_BASE_URL=base_url), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(address=server.server_address)
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(params=["gunicorn", "development server"])
def either(request, served_upstream):
    """The service as either server serves it: what they make of a repeated header differs."""
    if request.param == "gunicorn":
        yield request.getfixturevalue("service")
    else:
        with development_server(served_upstream.url) as running:
            yield running


def post(service, *headers: tuple[str, str]) -> tuple[int, str]:
    """The status and the body of the answer to a conversation with just these headers."""
    sent = {"Content-Type": FORM.headers["Content-Type"], "Content-Length": str(len(FORM.body))}
    with closing(HTTPConnection(*service.address, timeout=30)) as caller:
        caller.putrequest("POST", PATH)
        for name, value in (*headers, *sent.items()):
            caller.putheader(name, f"Bearer {value}" if name.lower() == "authorization" else value)
        caller.endheaders(FORM.body)
        answer = caller.getresponse()
        return answer.status, answer.read().decode()


URL = "https://api.openai.com/v1"
TWICE = [(name, KEY, second) for name in CREDENTIAL_HEADERS for second in (OTHER, KEY, "")]
TWICE += [(name, URL, second) for name in BASE_URL_HEADERS.values() for second in (URL, "v2")]


@pytest.mark.parametrize(("name", "first", "second"), TWICE)
def test_a_header_that_comes_twice_is_refused(either, served_upstream, name, first, second):
    """Joined, two keys would be none, which a host would see, and two URLs could be a valid one."""
    before = len(served_upstream.requests)
    main = [("X-OpenAI-API-Key", "sk-main-12345678")] if name != "X-OpenAI-API-Key" else []
    status, body = post(either, *main, (name, first), (name.lower(), second))
    code = '"api_key_missing"' if first == KEY else '"base_url_refused"'
    assert (status, code in body) == (401 if first == KEY else 400, True)
    assert f"Send {name} once" in body
    assert KEY[5:11] not in body
    assert len(served_upstream.requests) == before


@pytest.mark.parametrize("name", ["X-OpenAI-API-Key", "Authorization"])
def test_a_key_with_commas_is_one_key(service, served_upstream, name):
    """Each header is counted as it was sent, so that no key is broken for what it contains."""
    before = len(served_upstream.requests)
    assert post(service, (name, COMMAS))[0] == 200
    sent = served_upstream.requests[before:]
    assert [request.headers["authorization"] for request in sent] == [f"Bearer {COMMAS}"] * 3


def test_the_next_request_of_a_connection_is_counted_anew(service):
    with requests.Session() as caller:
        for _ in range(2):
            answer = caller.post(service.conversation_url, headers={"X-OpenAI-API-Key": KEY})
            assert '"request_malformed"' in answer.text
