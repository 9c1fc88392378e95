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
    upstream,
    accept: str = JSON,
    headers: Mapping[str, str] = {},
    app: Flask | None = None,
    **fields,
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
    headers = Headers(answer.headers.items())
    return told(TestResponse([answer.content], str(answer.status_code), headers, None))


def bodies(upstream, stage: str) -> list[bytes]:
    return [request.body for request in upstream.requests if request.stage == stage]


def body(upstream, stage: str) -> dict[str, object]:
    """The first JSON that a stage was sent."""
    return json.loads(bodies(upstream, stage)[0])


def events(response: TestResponse, name: str) -> list[dict[str, object]]:
    frames = (
        frame.split("\n") for frame in response.text.split("\n\n") if frame[:1] not in ("", ":")
    )
    return [json.loads(data[6:]) for event, data in frames if event == f"event: {name}"]


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
    """What it says; a stream's deltas and its `done` say the same, and errors have six keys."""
    if response.content_type.startswith("audio/"):
        headers = response.headers
        models = dict(pair.split("=") for pair in headers["X-Models-Used"].split(", "))
        texts = (unquote(headers[name]) for name in ("X-Transcript", "X-Text-Response"))
        return Told(
            response.status_code, headers.get("X-Errors"), None, "", *texts, response.data, models
        )
    sound = b""
    if response.content_type.startswith("text/event-stream"):
        [answer] = events(response, "done")
        written = "".join(event["delta"] for event in events(response, "text"))
        assert written == answer["text_response"]
        sound = b"".join(base64.b64decode(event["data"]) for event in events(response, "audio"))
        status = 206 if answer["errors"] else 200
    else:
        answer, status = response.json, response.status_code
        sound = base64.b64decode(answer["audio"])
    [error] = answer["errors"] or [{"code": None, "stage": None, "message": ""}]
    assert answer["success"] is (status == 200)
    texts = answer["transcript"], answer["text_response"]
    said = (error[name] for name in ("code", "stage", "message"))
    return Told(status, *said, *texts, sound, answer["models_used"])
