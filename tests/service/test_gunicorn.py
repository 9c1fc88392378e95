"""The service as it is served: gunicorn, real sockets, and an upstream that counts its calls."""

import json
import shutil
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests
from testing.builders import ROOT
from testing.gunicorn_process import LASTING_LIST, environment, serving
from testing.served_conversations import HEADERS, converse


def test_without_keep_alive_a_request_has_its_time(serve):
    """Gunicorn's `--keep-alive 0` keeps no connection, and still answers on each."""
    answer = requests.get(f"{serve('--keep-alive=0').url}/healthz", timeout=10)
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")


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


TLS = "Parley does not start: it speaks plain HTTP"
PEM = ROOT / "wsgi.py"  # Any file.


@pytest.mark.parametrize(
    ("options", "variables", "told"),
    [
        ([], {"PARLEY_CAPACITY": "many"}, "PARLEY_CAPACITY"),
        ([], {"PARLEY_MODEL_LIST": "NOWHERE.MD"}, "PARLEY_MODEL_LIST"),
        ([], {"REQUESTS_CA_BUNDLE": "nowhere.pem"}, "REQUESTS_CA_BUNDLE"),
        # Else callers would be let in, and wait for an answer that nobody gives.
        ([], {"WEB_CONCURRENCY": "0"}, "Parley does not start: WEB_CONCURRENCY is 0"),
        # Else it would answer in plain HTTP where its operator believes it is encrypted.
        ([f"--certfile={PEM}"], {}, TLS),
        ([f"--keyfile={PEM}"], {}, TLS),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_sentence(options, variables, told):
    """No loop of dying workers, no traceback: the variable's name and what to set."""
    run = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", *options, "wsgi:app"],
        check=False,
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode != 0
    [line] = [line for line in run.stderr.splitlines() if "[INFO]" not in line]
    assert told in line


def test_the_service_runs_from_a_moved_tree(tmp_path: Path, served_upstream):
    """Platforms build in one place and run in another, with nothing but the pins installed."""
    shutil.copytree(ROOT / "src", tmp_path / "build" / "src")
    shutil.copytree(ROOT / "blueprints", tmp_path / "build" / "blueprints")
    for name in ("wsgi.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, tmp_path / "build")
    shutil.copy(LASTING_LIST, tmp_path / "build" / "MODEL_LIST.MD")
    (tmp_path / "build").rename(tmp_path / "moved")
    url, models = served_upstream.url, "MODEL_LIST.MD"
    variables = {"PARLEY_OPENAI_BASE_URL": url, "PARLEY_MODEL_LIST": models}
    with serving(tmp_path / "log", variables, tmp_path / "moved") as running:
        assert converse(running).status_code == 200
