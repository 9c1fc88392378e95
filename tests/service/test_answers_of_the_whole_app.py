"""What is no conversation is answered in JSON, and no key or text of a caller's is logged."""

import json
from contextlib import closing, suppress
from http.client import HTTPConnection

import pytest
import requests
from testing.builders import KEY
from testing.raw_callers import LONG_HEADERS, connect, health_seconds, until_closed
from testing.served_conversations import HEADERS, converse

from parley.errors import InternalError


@pytest.fixture(scope="module")
def service(serve_all):
    """The service, which has a fault where a test wants one; of Python without docstrings."""
    return serve_all(app="testing.faulty_app:app", PYTHONOPTIMIZE="2")


@pytest.fixture
def failing_service(service):
    """The same, which is mended afterwards: a fault that never comes takes the last one's place."""
    yield service
    assert requests.get(f"{service.url}/fault/uploads?call=0", timeout=5).ok


FIRST = b"GET / HTTP/1.1\r\n"
TOO_LARGE = {
    "line": b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n",
    "header": FIRST + b"X: " + b"a" * 9_000 + b"\r\n",
    "number": FIRST + b"X: a\r\n" * 101,
    "all together": FIRST + LONG_HEADERS,
}
BROKEN = {
    "text": b"SECRET\r\n",
    "version": b"GET /SECRET HTTP/9.9\r\n",
    "method": b"get / HTTP/1.1\r\n",
    "name": FIRST + b"SECRET\r\n",
    "417": FIRST + b"Expect: SECRET\r\n",
    "501": FIRST + b"Transfer-Encoding: SECRET\r\n",
    "lengths": FIRST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
}


@pytest.mark.parametrize("what", [*TOO_LARGE, *BROKEN])
def test_what_is_no_request_is_answered_in_json(service, what):
    """The whole app's shape and headers, with nothing of the request in it or in the log."""
    status, code = (431, "headers_too_large") if what in TOO_LARGE else (400, "request_malformed")
    sent, logged = {**TOO_LARGE, **BROKEN}[what] + b"\r\n", len(service.log)
    with connect(service) as caller:
        caller.sendall(sent)
        answer = until_closed(caller)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    for header in (b"Connection: close", b"Content-Type: application/json", b"X-Request-ID: "):
        assert header in head
    assert b"Vary: Accept" in head
    told = json.loads(body)
    assert list(told) == ["success", "errors"]
    assert (told["errors"][0]["stage"], told["errors"][0]["code"]) == ("request", code)
    assert b"SECRET" not in answer
    assert "SECRET" not in service.log
    assert "Traceback" not in service.log[logged:]


def test_the_operators_script_name_hides_no_refusal(serve):
    """The path of what stands for a broken request begins with it; --env sets it late."""
    with connect(serve("--env=SCRIPT_NAME=/healthz")) as caller:
        caller.sendall(b"SECRET\r\n\r\n")
        assert until_closed(caller).startswith(b"HTTP/1.1 400 ")


def test_options_is_answered_without_a_body(client):
    for path in ("/healthz", "/api/conversation/", "/nowhere"):
        answer = client.options(path)
        assert answer.headers["Vary"] == "Accept"
        if path == "/nowhere":
            assert (answer.status_code, answer.json["errors"][0]["code"]) == (404, "not_found")
        else:
            assert (answer.status_code, answer.data) == (204, b"")
            assert "OPTIONS" in answer.headers["Allow"]
            assert "Content-Type" not in answer.headers


def test_a_log_shows_nothing_that_a_caller_wrote(serve):
    """With access lines, as platforms switch them on, and at DEBUG: nor what ends amid headers."""
    method = KEY.replace("_", "-")[-18:].upper()
    service = serve("--access-logfile=-", "--log-level=debug")
    url = f"{service.url}/{KEY}?api_key={KEY}"
    headers = {"Referer": f"https://x.example/?{KEY}", "User-Agent": KEY}
    with connect(service) as caller:
        caller.sendall(f"POST / HTTP/1.1\r\nX-OpenAI-API-Key: {KEY}\r\n".encode())
    answer = requests.request(method, url, auth=(KEY, KEY), headers=headers, timeout=5)
    assert service.logs(answer.headers["X-Request-ID"])
    assert KEY[-6:] not in service.log
    assert method not in service.log


def test_no_line_of_another_library_is_logged(serve, upstream, tmp_path):
    """Not even where an operator configures logging for all: urllib3 quotes broken headers."""
    config = tmp_path / "logging.json"
    console = {"level": "DEBUG", "handlers": ["console"]}
    config.write_text(json.dumps({"root": console, "disable_existing_loggers": False}))
    upstream.answers["stt"] = lambda connection, _: connection.sendall(
        b"HTTP/1.1 200 OK\r\nA: b\r\n%b\r\nContent-Length: 0\r\n\r\n" % KEY.encode()
    )
    service = serve(f"--log-config-json={config}")
    answer = converse(service)
    assert answer.json()["errors"][0]["stage"] == "stt"
    health_seconds(service)
    assert service.logs(answer.headers["X-Request-ID"])
    assert "GET /healthz" not in service.log
    assert KEY[-6:] not in service.log


@pytest.mark.parametrize(
    ("fault", "accept"),
    [
        ("parley.wire.transport:Transport.post", "application/json"),
        ("parley.upstream.client:Client.speak", "application/json"),
        ("parley.conversation.event_order:Backlog.take", "text/event-stream"),
        ("parley.log:conversation", "application/json"),
        ("parley.web.serving.slots:Slot.close", "audio/mpeg"),
        ("parley.web.serving.connection_limits:close_graceful", "text/event-stream"),
        ("parley.web.serving.worker:Worker.handle_error", "application/json"),
    ],
)
def test_no_text_of_an_error_of_ours_is_logged(failing_service, fault, accept):
    """Wherever it is raised, under the app, beside it or in the server: kind and frames are."""
    service, logged = failing_service, len(failing_service.log)
    assert requests.get(f"{service.url}/fault/{fault}?raises=1", timeout=5).ok
    with suppress(requests.RequestException):
        answer = converse(service, Accept=accept)
        assert KEY[-6:] not in answer.text
        assert ("internal_error" in answer.text) is (InternalError.message in answer.text)
    with suppress(OSError), connect(service) as caller:
        caller.sendall(b"no HTTP\r\n\r\n")
        caller.recv(1)  # What fails to close may stay open.
    health_seconds(service)
    assert service.logs("kind=RuntimeError", logged)
    assert KEY[-6:] not in service.log


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("headers", "status", "code"), [({}, 401, "api_key_missing"), (HEADERS, 400, "audio_too_large")]
)
def test_a_refusal_is_seen_while_the_upload_is_still_being_sent(
    service, served_upstream, headers, status, code, chunked
):
    """A caller that sends 27 MB reads why they are refused instead of a connection reset."""
    before = len(served_upstream.requests)
    head = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    body = head + bytes(28_000_000) + b"\r\n--b--\r\n"
    sent = {**headers, "Content-Type": "multipart/form-data; boundary=b"}
    pieces = (body[i : i + 65_536] for i in range(0, len(body), 65_536)) if chunked else body
    with closing(HTTPConnection(*service.address, timeout=30)) as caller:
        # It gives up where it cannot send all, as requests does not.
        caller.request("POST", "/api/conversation/", pieces, sent, encode_chunked=chunked)
        response = caller.getresponse()
        [error] = json.load(response)["errors"]
    assert (response.status, error["code"]) == (status, code)
    assert response.headers["Connection"] == "close"
    assert len(served_upstream.requests) == before
