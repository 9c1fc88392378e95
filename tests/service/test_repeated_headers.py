"""A header with a key or a base URL that is sent twice is refused; no upstream is called."""

import threading
from http.client import HTTPConnection
from io import BytesIO

import pytest
from requests import Request
from testing.builders import KEY, make_app, wav
from werkzeug.serving import make_server

from parley.web.caller_headers import BASE_URL_HEADERS, CREDENTIAL_HEADERS

OTHER = "sk-Hd5sJ2gF8aQ4kW7zM1xC3vB9"
COMMAS = "sk-Zq8v,X3mK7pT2,wR9yL4nB6cD1"


def post(address, *headers: tuple[str, str]) -> tuple[int, bytes]:
    """The status and the body of the answer to a conversation with just these headers."""
    form = Request("POST", "http://x", files={"audio": ("a.wav", BytesIO(wav()))}).prepare()
    caller = HTTPConnection(*address, timeout=30)
    try:
        caller.putrequest("POST", "/api/conversation/")
        sent = {"Content-Type": form.headers["Content-Type"], "Content-Length": len(form.body)}
        for name, value in (*headers, *sent.items()):
            caller.putheader(name, str(value))
        caller.endheaders(form.body)
        answer = caller.getresponse()
        return answer.status, answer.read()
    finally:
        caller.close()


def written(name: str, key: str) -> str:
    """A key as the header of that name holds it."""
    return f"Bearer {key}" if name == "Authorization" else key


@pytest.fixture
def development_server(served_upstream):
    """The address of the service as `flask run` serves it."""
    app = make_app(PARLEY_OPENAI_BASE_URL=served_upstream.url)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(params=["gunicorn", "development server"])
def address(request):
    if request.param == "gunicorn":
        return request.getfixturevalue("service").address
    return request.getfixturevalue("development_server")


@pytest.mark.parametrize("second", [OTHER, KEY, ""], ids=["another", "the same", "blank"])
@pytest.mark.parametrize("name", CREDENTIAL_HEADERS)
def test_a_key_that_comes_twice_is_refused(address, served_upstream, name, second):
    """Joined, they would be no key, and one host would see both. The header is named, not the keys.

    The name's capitals do not matter, nor does another header that would be used instead.
    """
    before = len(served_upstream.requests)
    main = [("X-OpenAI-API-Key", "sk-main-12345678")] if name != "X-OpenAI-API-Key" else []
    twice = [(name, written(name, KEY)), (name.lower(), written(name, second))]
    status, body = post(address, *main, *twice)
    assert status == 401
    assert b'"api_key_missing"' in body
    assert f"Send {name} once".encode() in body
    assert KEY[5:11].encode() not in body
    assert len(served_upstream.requests) == before


@pytest.mark.parametrize("second", ["https://other.example/v1", "v2"])
@pytest.mark.parametrize("name", BASE_URL_HEADERS.values())
def test_a_base_url_that_comes_twice_is_refused(address, name, second):
    """Joined, it could be a valid one with a comma in its path."""
    sent = [(name, "https://api.openai.com/v1"), (name, second)]
    status, body = post(address, ("X-OpenAI-API-Key", KEY), *sent)
    assert status == 400
    assert b'"base_url_refused"' in body
    assert f"Send {name} once".encode() in body


@pytest.mark.parametrize("name", ["X-OpenAI-API-Key", "Authorization"])
def test_a_key_with_commas_is_one_key(service, served_upstream, name):
    """Each header is counted as it was sent, so that no key is broken for what it contains."""
    before = len(served_upstream.requests)
    assert post(service.address, (name, written(name, COMMAS)))[0] == 200
    sent = served_upstream.requests[before:]
    assert [request.headers["authorization"] for request in sent] == [f"Bearer {COMMAS}"] * 3


def test_the_next_request_of_a_connection_is_counted_anew(service):
    """Two requests with one key each are not one with two."""
    caller = HTTPConnection(*service.address, timeout=30)
    try:
        for _ in range(2):
            caller.request("POST", "/api/conversation/", headers={"X-OpenAI-API-Key": KEY})
            answer = caller.getresponse()
            assert answer.status == 400
            assert b'"request_malformed"' in answer.read()
    finally:
        caller.close()
