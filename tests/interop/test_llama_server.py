"""Conversations with llama.cpp's own server, which replies; aimock hears and speaks for it."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from testing import aimock
from testing.builders import KEY, ROOT, wav
from testing.fake_openai import TRANSCRIPT
from testing.gunicorn_process import serving_models
from testing.processes import started
from testing.representations import REPRESENTATIONS, SOUND, STREAM, ask

pytestmark = pytest.mark.system

SCRIPT = ROOT / "tests/interop/llama_server.py"
SHORT = "Answer in one short plain sentence."
PARAMETERS = {
    "schema": {
        "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "x"}}}
    },
    "brief": {"max_tokens": 3},
    "endless": {"ignore_eos": True},
}


@contextmanager
def llama(folder):
    ready = r"listening on (http://127\.0\.0\.1:\d+)\n"
    command = [sys.executable, SCRIPT, KEY]
    with started(command, folder / "llama", ready, PYTHONPATH=str(ROOT / "src")) as running:
        yield running


@contextmanager
def conversing(folder, server: str) -> Iterator[str]:
    """The service, whose replies the server gives."""
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


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    with llama(tmp_path_factory.mktemp("llama")) as (url, _):
        yield url


@pytest.fixture(scope="module")
def service(server, tmp_path_factory) -> Iterator[str]:
    with conversing(tmp_path_factory.mktemp("service"), server) as url:
        yield url


@REPRESENTATIONS
def test_it_replies(service, accept):
    """With the capital, and each of its words is told and spoken once."""
    told = ask(service, accept, {"X-Text-API-Key": KEY}, system_prompt=SHORT)
    assert (told.status, told.transcript) == (200, TRANSCRIPT)
    assert told.reply.count("Paris") == 1
    assert told.sound


# What is sent beside the key, the code, its stage, and a word of the reason.
FAILURES = {
    "a limit of tokens": ({"text_model": "brief"}, "text_incomplete", ""),
    "a long question": ({"system_prompt": "word " * 900}, "upstream_rejected", "context size (512"),
    "a wrong parameter": ({"text_model": "schema"}, "upstream_rejected", "unrecognized type x"),
}


@REPRESENTATIONS
@pytest.mark.parametrize("name", FAILURES)
def test_its_failures_are_told(service, accept, name):
    """In its words; what it wrote up to its limit is spoken."""
    fields, code, reason = FAILURES[name]
    told = ask(service, accept, {"X-Text-API-Key": KEY}, **fields)
    assert (told.status, told.code, told.transcript) == (206, code, TRANSCRIPT)
    assert reason in told.message
    assert bool(told.reply) is bool(told.sound) is (code == "text_incomplete")


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("stage", "code", "status", "reason"),
    [("stt", "upstream_rejected", 400, "audio input"), ("tts", "upstream_rejected", 206, "Found")],
)
def test_it_neither_hears_nor_speaks(service, server, accept, stage, code, status, reason):
    """501 and 404, in its words."""
    headers = {f"X-{stage.upper()}-Base-URL": f"{server}/v1", f"X-{stage.upper()}-API-Key": KEY}
    told = ask(service, accept, {"X-Text-API-Key": KEY, **headers}, system_prompt=SHORT)
    assert (told.code, told.stage, told.status) == (code, stage, status)
    assert reason in told.message


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("key", "code"), [("sk-wrong-key-of-nobody", "api_key_rejected"), ("", "api_key_missing")]
)
def test_it_wants_its_own_key(service, accept, key, code):
    """Which is not the main one, and the main one does not go to it."""
    told = ask(service, accept, {"X-Text-API-Key": key})
    assert (told.status, told.code, told.stage) == (206, code, "text")


def test_it_is_ended_amid_a_reply(tmp_path):
    """What it wrote is told and spoken; after that nobody is there."""
    with llama(tmp_path) as (server, process), conversing(tmp_path, server) as service:
        headers = {"X-OpenAI-API-Key": KEY, "X-Text-API-Key": KEY, "Accept": STREAM}
        with requests.post(
            f"{service}/api/conversation/",
            data={"text_model": "endless"},
            files={"audio": ("a.wav", wav())},
            headers=headers,
            stream=True,
            timeout=60,
        ) as answer:
            lines = answer.iter_lines(chunk_size=1)
            assert b"event: text" in lines
            process.kill()
            rest = b"\n".join(lines)
        assert b"event: audio" in rest
        [done] = re.findall(rb"^event: done\ndata: (.*)$", rest, re.M)
        [error] = json.loads(done)["errors"]
        assert (error["stage"], error["code"]) == ("text", "upstream_unavailable")
        told = ask(service, SOUND, {"X-Text-API-Key": KEY})
        assert (told.status, told.code, told.stage) == (206, "upstream_unavailable", "text")
