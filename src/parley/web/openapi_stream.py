"""The stream for the OpenAPI document: a schema of its events, and an example."""

import json
from dataclasses import replace
from typing import Any

from parley.upstream.options import AUDIO_FORMATS
from parley.web.openapi_examples import HEARD, REPLY, WORKED
from parley.web.schemas import ConversationSchema

TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
EVENTS: dict[str, dict[str, Any]] = {
    "transcript": {"text": TEXT, "model": TEXT},
    "text": {"delta": TEXT},
    "segment": {
        "segment": NUMBER,
        "text": TEXT,
        "voice": TEXT,
        "began": NUMBER,
        "format": {"type": "string", "enum": list(AUDIO_FORMATS)},
    },
    "audio": {
        "segment": NUMBER,
        "data": {"type": "string", "contentEncoding": "base64"},
        "last": {"type": "boolean"},
    },
}
"""By event, what its data holds beside `at`; `error` and `done` have the schemas of answers."""


def schema(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of one event, whose data is JSON; `schemas` are those of the document."""
    data = {
        name: {"type": "object", "properties": fields, "required": list(fields)}
        for name, fields in EVENTS.items()
    }
    data |= {"error": schemas["Error"], "done": schemas["Conversation"]}
    return {"oneOf": [_event(name, content) for name, content in data.items()]}


def _event(name: str, content: dict[str, Any]) -> dict[str, Any]:
    with_moment = {
        **content,
        "properties": {"at": NUMBER, **content["properties"]},
        "required": ["at", *content["required"]],
        "additionalProperties": False,
    }
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": with_moment,
    }
    return {
        "type": "object",
        "properties": {"event": {"const": name}, "data": data},
        "required": ["event", "data"],
    }


def example() -> str:
    """A conversation as a whole stream."""
    answer = ConversationSchema()
    segment = {"segment": 0, "text": REPLY, "voice": "alloy", "format": "mp3", "began": 930}
    sound = answer.dump(WORKED)["audio"]
    events = (
        ("transcript", {"at": 520, "text": HEARD, "model": "whisper-1"}),
        ("text", {"at": 930, "delta": REPLY}),
        ("segment", {"at": 1230, **segment}),
        ("audio", {"at": 1230, "segment": 0, "data": sound, "last": True}),
        ("done", {"at": 1240, **answer.dump(replace(WORKED, speech=None))}),
    )
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
