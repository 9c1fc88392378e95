"""A conversation in each of its representations, and what the upstream was sent for it."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
import requests
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from testing.builders import KEY, make_app, wav
from testing.conversation_forms import MAIN, converse
from testing.stream_readers import events_of, heard

JSON, STREAM, SOUND = "application/json", "text/event-stream", "audio/*"
STAGES = ("stt", "text", "tts")
REPRESENTATIONS = pytest.mark.parametrize("accept", [JSON, STREAM, SOUND])


def spread(rows: Iterable[object]) -> pytest.MarkDecorator:
    """Each row in each representation and at each stage; in all pairs of both it would be long."""
    cases = [
        pytest.param(accept, STAGES[(number + place) % 3], row, id=f"{row}-{accept}"[:90])
        for number, row in enumerate(rows)
        for place, accept in enumerate((JSON, STREAM, SOUND))
    ]
    return pytest.mark.parametrize(("accept", "stage", "row"), cases)


def post(
    upstream, accept=JSON, headers: Mapping[str, str] = {}, app: Flask | None = None, **fields
) -> TestResponse:
    """A conversation with a recording and these fields, read to its end; bytes become a file."""
    if app is None and not upstream.client:
        app = make_app(PARLEY_OPENAI_BASE_URL=upstream.url)
    client = app.test_client() if app else upstream.client
    return converse(client, {**MAIN, "Accept": accept, **headers}, **fields)


def ask(
    url: str, accept: str = JSON, headers: Mapping[str, str] = {}, audio: bytes = b"", **fields: str
) -> "Told":
    """What a service says that is served at `url`, over a socket."""
    answer = requests.post(
        f"{url}/api/conversation/",
        data=fields,
        files={"audio": ("a.wav", audio or wav())},
        headers={"X-OpenAI-API-Key": KEY, "Accept": accept, **headers},
        timeout=90,
    )
    return told_over_a_socket(answer)


def bodies(upstream, stage: str) -> list[bytes]:
    return [request.body for request in upstream.requests if request.stage == stage]


def body(upstream, stage: str) -> dict[str, object]:
    """The first JSON that a stage was sent."""
    return json.loads(bodies(upstream, stage)[0])


def events(response: TestResponse, name: str) -> list[dict[str, object]]:
    return [data for event, data in events_of([response.data]) if event == name]


@dataclass
class Told:
    """What an answer says, in whichever representation."""

    status: int
    code: str | None
    stage: str | None
    message: str
    transcript: str
    reply: str
    sound: bytes
    models: dict[str, str]


def told(response: TestResponse) -> Told:
    """What it says; a stream keeps to the contract, and errors have six keys."""
    headers, status = response.headers, response.status_code
    if response.content_type.startswith("audio/"):
        models = dict(pair.split("=") for pair in headers["X-Models-Used"].split(", "))
        texts = (unquote(headers[name]) for name in ("X-Transcript", "X-Text-Response"))
        return Told(status, headers.get("X-Errors"), None, "", *texts, response.data, models)
    if response.content_type.startswith("text/event-stream"):
        stream = heard(events_of([response.data]))
        answer, sound = stream.done, b"".join(stream.sounds)
        status = 206 if stream.error else 200
    else:
        answer, sound = response.json, base64.b64decode(response.json["audio"])
    [error] = answer["errors"] or [{"code": None, "stage": None, "message": ""}]
    assert answer["success"] is (status == 200)
    texts = answer["transcript"], answer["text_response"]
    said = (error[name] for name in ("code", "stage", "message"))
    return Told(status, *said, *texts, sound, answer["models_used"])


def told_over_a_socket(answer: requests.Response) -> Told:
    headers = Headers(answer.headers.items())
    return told(TestResponse([answer.content], str(answer.status_code), headers, None))
