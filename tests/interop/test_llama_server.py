"""Conversations with llama.cpp's own server, which replies; aimock hears and speaks for it."""

import json
import sys
from collections.abc import Iterator

import pytest
from testing import aimock
from testing.builders import KEY, ROOT
from testing.fake_openai import TRANSCRIPT
from testing.gunicorn_process import serving_models
from testing.processes import started
from testing.representations import JSON, REPRESENTATIONS, ask

pytestmark = pytest.mark.system

SHORT = "Answer in one short plain sentence."
REJECTED = "upstream_rejected"
X = {"type": "x"}
PARAMETERS = {
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"schema": X}}},
    "brief": {"max_tokens": 3},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    ready = r"listening on (http://127\.0\.0\.1:\d+)\n"
    command = [sys.executable, ROOT / "tests/interop/llama_server.py", KEY]
    log = tmp_path_factory.mktemp("llama") / "log"
    with started(command, log, ready, PYTHONPATH=str(ROOT / "src")) as (url, _):
        yield url


@pytest.fixture(scope="module")
def service(server, tmp_path_factory) -> Iterator[str]:
    """The service, whose replies the server gives."""
    folder = tmp_path_factory.mktemp("service")
    rows = (f"| {name} | | | `{json.dumps(sent)}` |\n" for name, sent in PARAMETERS.items())
    with aimock.running(folder) as others:
        variables = {
            "PARLEY_OPENAI_BASE_URL": others,
            "PARLEY_TEXT_BASE_URL": f"{server}/v1",
            "PARLEY_ALLOWED_BASE_URLS": f"{server}/v1",
        }
        models = aimock.model_list(text="".join(rows))
        with serving_models(folder, models, **variables) as served:
            yield served.url


@REPRESENTATIONS
def test_it_replies(service, accept):
    """With the capital, and each of its words is told and spoken once."""
    told = ask(service, accept, {"X-Text-API-Key": KEY}, system_prompt=SHORT)
    assert (told.status, told.transcript) == (200, TRANSCRIPT)
    assert told.reply.count("Paris") == 1
    assert told.sound


# The stage that it stands for, the key, and what else is sent; status, code, a word of the reason.
FAILURES = {
    "a limit of tokens": ("text", KEY, {"text_model": "brief"}, 206, "text_incomplete", ""),
    "a long question": ("text", KEY, {"system_prompt": "word " * 900}, 206, REJECTED, "size (512"),
    "a wrong parameter": ("text", KEY, {"text_model": "schema"}, 206, REJECTED, "unrecognized"),
    "a recording": ("stt", KEY, {}, 400, REJECTED, "audio input"),
    "a text to speak": ("tts", KEY, {"system_prompt": SHORT}, 206, REJECTED, "Found"),
    "a wrong key": ("text", "sk-wrong-key-of-nobody", {}, 206, "api_key_rejected", ""),
    "no key": ("text", "", {}, 206, "api_key_missing", ""),
}


@pytest.mark.parametrize("name", FAILURES)
def test_its_failures_are_told(service, server, name):
    """In its words; it neither hears nor speaks, and the main key does not go to it."""
    stage, key, fields, status, code, reason = FAILURES[name]
    headers = {"x-text-api-key": KEY, f"x-{stage}-api-key": key}
    if stage != "text":
        headers[f"X-{stage}-Base-URL"] = f"{server}/v1"
    told = ask(service, JSON, headers, **fields)
    assert (told.status, told.code, told.stage) == (status, code, stage)
    assert reason in told.message
    if stage == "text":
        assert told.transcript == TRANSCRIPT
        assert bool(told.reply) is bool(told.sound) is (code == "text_incomplete")
