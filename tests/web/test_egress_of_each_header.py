"""Each header that names a base URL is judged like the main one, and named where it is at fault."""

import dataclasses
import socket
import threading
import time
from dataclasses import replace

import pytest
from testing import conversation_forms as forms
from testing.builders import KEY, make_app
from testing.conversation_forms import DEFAULTS, MAIN, PATH, check, refused

from blueprints import BLUEPRINTS
from parley.base_urls import BaseUrl
from parley.web.app import create_app
from parley.web.caller_headers import BASE_URL_HEADERS
from parley.wire.transport import Transport

HEADERS = [*BASE_URL_HEADERS.values()]
PUBLIC = "93.184.216.34"
EARLIER = {"": 0, "stt": 0, "text": 1, "tts": 2}
"""By stage (blank: all of them), how many calls come before it."""

STAGE = {header: name if name in EARLIER else "" for name, header in BASE_URL_HEADERS.items()}


def app_where(*answers: str, **variables: str):
    """The application, whose look-ups find one of these addresses after the other."""
    app, left = make_app(**variables), list(answers)

    def look_up(host: str, port: int, **_: object) -> list[tuple]:
        assert left or host == "127.0.0.1", f"{host} was looked up"
        address = host if host == "127.0.0.1" else left.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    transport = Transport(4, look_up)
    services = dataclasses.replace(app.extensions["parley"], transport=transport)
    return create_app(services, BLUEPRINTS)


def converse(app, header: str, url: str):
    """One conversation with a base URL in a header."""
    headers = {**MAIN, "X-TTS-API-Key": KEY, header: url}
    return forms.converse(app.test_client(), headers)


def refusal(app, header: str, url: str) -> str:
    """The message of the refusal of a base URL, before the form is read."""
    answer = app.test_client().post(PATH, headers={**MAIN, header: url})
    [error] = check(answer, 400, "base_url_refused")["errors"]
    assert answer.json["models_used"] == DEFAULTS
    return error["message"]


REFUSED = """
http://api.openai.com/v1 https://127.0.0.1/v1 https://169.254.169.254/v1 https://10.0.0.1/v1
https://[::ffff:127.0.0.1]/v1 https://2130706433/v1 https://localhost/v1
https://metadata.google.internal/v1 https://user@api.openai.com/v1 https://api.openai.com/v1?x=1
"""


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("url", [*REFUSED.split(), "no url"])
def test_what_may_not_be_called_is_refused_by_its_text(header, url):
    """No name is looked up, and the message names the header, before the form is read."""
    assert f" in {header}" in refusal(app_where(), header, url)


@pytest.mark.parametrize("header", HEADERS)
def test_a_name_that_leads_inside_is_refused(header):
    message = refusal(app_where("10.0.0.1"), header, "https://inside.example/v1")
    assert message == replace(BaseUrl.parse("https://x"), header=header).refusal().message
    assert header in message


@pytest.mark.parametrize("header", HEADERS)
def test_a_name_that_changes_its_answer_gains_nothing(header, upstream):
    """The address that is connected to is the one that is checked, whatever the stage."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        url = f"https://rebind.example:{inside.getsockname()[1]}/v1"
        app = app_where(PUBLIC, "127.0.0.1", PARLEY_OPENAI_BASE_URL=upstream.url)
        answer = converse(app, header, url)
        [error] = answer.json["errors"]
        assert error["code"] == "base_url_refused"
        assert f" in {header};" in error["message"]
        assert len(upstream.requests) == EARLIER[STAGE[header]]
        with pytest.raises(TimeoutError):
            inside.accept()


@pytest.mark.parametrize("header", HEADERS)
def test_what_the_operator_allows_is_called(header, upstream):
    """The list of allowed base URLs holds for each header, by whole segments."""
    app = make_app(PARLEY_ALLOWED_BASE_URLS=upstream.url, PARLEY_OPENAI_BASE_URL=upstream.url)
    assert converse(app, header, f"{upstream.url}/tenant").status_code == 200
    assert sum(request.path.startswith("/v1/tenant/") for request in upstream.requests) == (
        1 if STAGE[header] else 3
    )
    assert " in " + header in refusal(app, header, upstream.url.replace("/v1", "/v10"))


def test_all_base_urls_together_have_one_limit_of_time(monkeypatch):
    """Four names that nobody answers for take as long as one."""
    monkeypatch.setattr("parley.wire.transport.CONNECT_SECONDS", 1.5)
    gate = threading.Event()
    app = app_where()
    transport = Transport(4, lambda *_, **__: gate.wait(10))
    app.extensions["parley"] = dataclasses.replace(app.extensions["parley"], transport=transport)
    headers = {header: f"https://{n}.example/v1" for n, header in enumerate(HEADERS)}
    began = time.monotonic()
    told = refused(app.test_client(), {**MAIN, **headers})
    assert told[1] == "request_malformed"  # The body came next.
    assert time.monotonic() - began < 4.5
    gate.set()
