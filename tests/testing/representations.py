"""A conversation in each of its representations, and what the upstream was sent for it."""

import json
from io import BytesIO

import pytest
from werkzeug.test import TestResponse

from testing.builders import KEY, make_app, wav

JSON, STREAM, SOUND = "application/json", "text/event-stream", "audio/*"
REPRESENTATIONS = pytest.mark.parametrize("accept", [JSON, STREAM, SOUND])


def post(upstream, accept: str = JSON, **fields: object) -> TestResponse:
    """A conversation with these fields, read to its end; bytes become a file."""
    form = {
        name: (BytesIO(value), "blob") if isinstance(value, bytes) else value
        for name, value in {"audio": wav(), **fields}.items()
    }
    client = make_app(PARLEY_OPENAI_BASE_URL=upstream.url).test_client()
    headers = {"X-OpenAI-API-Key": KEY, "Accept": accept}
    response = client.post("/api/conversation/", data=form, headers=headers)
    assert response.data is not None
    return response


def bodies(upstream, stage: str) -> list[bytes]:
    return [request.body for request in upstream.requests if request.stage == stage]


def body(upstream, stage: str) -> dict[str, object]:
    """The first JSON that a stage was sent."""
    return json.loads(bodies(upstream, stage)[0])


def events(response: TestResponse, name: str) -> list[dict[str, object]]:
    frames = (frame.split("\n") for frame in response.text.split("\n\n") if frame)
    return [json.loads(data[6:]) for event, data in frames if event == f"event: {name}"]
