"""Upstreams' answers as they were met, and how they are written."""

import json

from testing.fake_openai import http
from testing.upstream_faults import says

HALF = "The capital of France is the city whose na"
WHOLE = ("It is Paris.", None)
BLANKS = {"message": "", "type": "", "param": "", "code": None}
"""The error beside each answer of some gateways."""


def streamed(*events: object) -> bytes:
    """Events with JSON, or bytes as they are, as an answer's body."""
    return b"".join(
        each if isinstance(each, bytes) else b"data: %s\n\n" % json.dumps(each).encode()
        for each in events
    )


def chunk(content: object = None, reason: str | None = None, **more: object) -> dict[str, object]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": reason, **more}]}


def answers(upstream, stage: str, data: object, **headers: str) -> None:
    """Let a stage answer with JSON, or with these bytes, under 200."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    upstream.answers[stage] = says(http(data, **headers))
