"""What is no conversation is answered in JSON, and no key or text of a caller's is logged."""

import json
from contextlib import suppress

import pytest
import requests
from testing.builders import KEY
from testing.gunicorn_process import serving
from testing.raw_callers import connect, health_seconds, until_closed
from testing.served_conversations import converse


@pytest.fixture(scope="module")
def failing_service(served_upstream, tmp_path_factory):
    """The service, which has a fault where a test wants one."""
    variables = {"PARLEY_OPENAI_BASE_URL": served_upstream.url}
    log = tmp_path_factory.mktemp("log") / "log"
    with serving(log, variables, app="testing.failing_app:app") as running:
        yield running


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431, "headers_too_large"),
        (b"SECRET\r\n\r\n", 400, "request_malformed"),
        (b"GET /SECRET HTTP/9.9\r\n\r\n", 400, "request_malformed"),
        (b"get / HTTP/1.1\r\n\r\n", 400, "request_malformed"),
        (b"GET / HTTP/1.1\r\nSECRET\r\n\r\n", 400, "request_malformed"),
        (b"GET / HTTP/1.1\r\nExpect: SECRET\r\n\r\n", 400, "request_malformed"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: SECRET\r\n\r\n", 400, "request_malformed"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            "request_malformed",
        ),
    ],
    ids=["line", "header", "headers", "text", "version", "method", "name", "417", "501", "lengths"],
)
def test_what_is_no_request_is_answered_in_json(service, sent, status, code):
    """The whole app's shape and headers, with nothing of the request in it or in the log."""
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
    assert "Traceback" not in service.log


def test_a_callers_script_name_moves_nothing(serve):
    """Even where the platform trusts every sender's headers, as Heroku's build has it."""
    service = serve(FORWARDED_ALLOW_IPS="*")
    for name in ("SCRIPT_NAME", "PATH_INFO"):
        answer = requests.get(f"{service.url}/healthz", headers={name: "/x"}, timeout=5)
        assert answer.json() == {"status": "ok"}


def test_the_operators_script_name_hides_no_refusal(serve):
    """The path of what stands for a broken request begins with it; --env sets it late."""
    with connect(serve("--env=SCRIPT_NAME=/healthz")) as caller:
        caller.sendall(b"SECRET\r\n\r\n")
        assert until_closed(caller).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/healthz", "/api/conversation/"])
def test_options_is_answered_without_a_body(service, path):
    """204 and what is allowed."""
    answer = requests.options(f"{service.url}{path}", timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "OPTIONS" in answer.headers["Allow"]
    assert "Content-Type" not in answer.headers
    assert answer.headers["Vary"] == "Accept"
    missing = requests.options(f"{service.url}/nowhere", timeout=5)
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "not_found")
    assert missing.headers["Vary"] == "Accept"


def test_a_key_in_headers_that_end_early_is_not_logged(serve):
    """Where an operator switches gunicorn's log to DEBUG."""
    service = serve("--log-level=debug")
    with connect(service) as caller:
        caller.sendall(f"POST / HTTP/1.1\r\nX-OpenAI-API-Key: {KEY}\r\n".encode())
    health_seconds(service)
    assert KEY[-6:] not in service.log


def test_the_access_log_shows_nothing_that_a_caller_wrote(serve):
    """As platforms switch it on: no method, no query, no user, no referer."""
    method, service = KEY.replace("_", "-")[-18:].upper(), serve("--access-logfile=-")
    url = f"{service.url}/{KEY}?api_key={KEY}"
    headers = {"Referer": f"https://x.example/?{KEY}", "User-Agent": KEY}
    answer = requests.request(method, url, auth=(KEY, KEY), headers=headers, timeout=5)
    assert service.logs(answer.headers["X-Request-ID"])
    assert KEY not in service.log
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
        ("parley.web.serving.slots:Slots.release", "audio/mpeg"),
        ("parley.web.serving.connection_limits:close_graceful", "text/event-stream"),
        ("parley.web.serving.worker:Worker.handle_error", "application/json"),
    ],
)
def test_no_text_of_an_error_of_ours_is_logged(failing_service, fault, accept):
    """Wherever it is raised, under the app, beside it or in the server: kind and frames are."""
    service, logged = failing_service, len(failing_service.log)
    assert requests.get(f"{service.url}/fail/{fault}", timeout=5).ok
    with suppress(requests.RequestException):
        assert KEY[-6:] not in converse(service, Accept=accept).text
    with suppress(OSError), connect(service) as caller:
        caller.sendall(b"no HTTP\r\n\r\n")
        caller.recv(1)  # What fails to close may stay open.
    health_seconds(service)
    assert service.logs("kind=RuntimeError", logged)
    assert KEY[-6:] not in service.log
