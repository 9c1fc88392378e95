"""The API as an OpenAPI document, from the schemas and the errors themselves."""

import json
from collections.abc import Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from parley import errors
from parley.conversation.state import Conversation
from parley.errors import ConversationError, InternalError, RequestError, UpstreamError
from parley.models.registry import INTERFACES, Model
from parley.web.admission import BASE_URL_HEADER, KEY_HEADER
from parley.web.schemas import MODEL_CHARACTERS as MOST
from parley.web.schemas import (
    Base64Field,
    ConversationRequestSchema,
    ConversationSchema,
    ErrorAnswerSchema,
    ModelField,
    RecordingField,
)

STATUSES = {
    200: "All three stages worked.",
    206: "Speech was transcribed, or none was heard, and a later stage did not work.",
    400: "The request cannot be used, or the upstream refused the recording.",
    401: "There is no key, or the upstream refused it.",
    405: "The method is not POST.",
    500: "Anything else: nothing was transcribed.",
    503: "Every place is taken: nothing was begun.",
}
HEADERS = {
    "Cache-Control": "Always no-store.",
    "X-Request-ID": "The caller's id for the request, or a new one.",
    "Server-Timing": "Milliseconds: those of each stage that was begun, and all.",
}
ONLY_WITH = {
    206: {"Retry-After": "Seconds that the upstream asks to wait, where it does."},
    401: {"WWW-Authenticate": "Always Bearer."},
    405: {"Allow": "The methods that the address takes."},
    500: {"Retry-After": "Seconds that the upstream asks to wait, where it does."},
    503: {"Retry-After": "Seconds after which a place may be free."},
}
REQUIRED = {"Cache-Control", "X-Request-ID", "Server-Timing", "WWW-Authenticate", "Allow"}
EXAMPLE = {
    "stt": Model("whisper-1", "transcriptions"),
    "text": Model("gpt-4o", "chat"),
    "tts": Model("tts-1", "speech"),
}
HEARD, REPLY, SPEECH = "What is the capital of France?", "It is Paris.", b"ID3\x04"


def document() -> str:
    """The document as JSON, ending without a newline."""
    plugin = MarshmallowPlugin()
    about = (
        "Speech in, a spoken answer out. Errors of the whole service (not_found, "
        "method_not_allowed) are ErrorAnswer at other addresses, and so are headers_too_large "
        "(431) and request_malformed where the address cannot be read."
    )
    spec = APISpec("Parley", "1", "3.1.0", plugins=[plugin], info={"description": about})
    converter: Any = plugin.converter
    converter.map_to_openapi_type(RecordingField, "string", "binary")
    converter.map_to_openapi_type(Base64Field, "string", "byte")
    converter.map_to_openapi_type(ModelField, "string", None)
    for name, schema in (
        ("ConversationRequest", ConversationRequestSchema),
        ("Conversation", ConversationSchema),
        ("ErrorAnswer", ErrorAnswerSchema),
    ):
        spec.components.schema(name, schema=schema)
    spec.components.security_scheme("key", {"type": "apiKey", "in": "header", "name": KEY_HEADER})
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.path("/api/conversation/", operations={"post": _conversation()})
    alive = {"status": {"type": "string", "const": "ok"}}
    spec.path(
        "/healthz",
        operations={
            "get": {
                "operationId": "healthz",
                "summary": "Whether the process is alive",
                "responses": {
                    "200": _answer(
                        "It is.",
                        200,
                        {"type": "object", "properties": alive, "required": ["status"]},
                        {"alive": {"status": "ok"}},
                    ),
                    "405": _answer(
                        "The method is not GET.",
                        405,
                        ErrorAnswerSchema,
                        {"method_not_allowed": _refusal(errors.MethodNotAllowed())},
                    ),
                },
            }
        },
    )
    whole = spec.to_dict()
    _narrow(whole["components"]["schemas"])
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _narrow(schemas: dict[str, Any]) -> None:
    """Say what marshmallow's fields do not: what is always there, and what may stand in it."""
    for stage in INTERFACES:
        schemas["ConversationRequest"]["properties"][f"{stage}_model"]["maxLength"] = MOST
    for name in ("Conversation", "ErrorAnswer", "Models"):
        schemas[name]["required"] = list(schemas[name]["properties"])
    schemas["Conversation"]["properties"]["errors"]["maxItems"] = 1
    schemas["Error"]["required"] = ["stage", "code", "message"]
    properties = schemas["Error"]["properties"]
    properties["stage"]["enum"] = ["request", *INTERFACES]
    properties["code"]["enum"] = sorted({error.code for error in _leaves(ConversationError)})
    properties["retry_after"] = {"type": "integer", "minimum": 0}


def _conversation() -> dict[str, Any]:
    """What POST /api/conversation/ takes and answers."""
    return {
        "operationId": "converse",
        "summary": "Hear a recording, think of a reply, speak it",
        "security": [{"key": []}, {"bearer": []}],
        "parameters": [
            {
                "in": "header",
                "name": name,
                "schema": {"type": "string"},
                "description": description,
            }
            for name, description in (
                (BASE_URL_HEADER, "Another OpenAI-compatible API than the service's own."),
                ("X-Request-ID", "Your id for the request: 1 to 128 of A-Z a-z 0-9 . _ : -"),
            )
        ],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": ConversationRequestSchema}},
        },
        "responses": {
            str(status): _answer(
                description, status, ConversationSchema, dict(_examples(status)) or _worked()
            )
            for status, description in STATUSES.items()
        },
    }


def _answer(description: str, status: int, schema: Any, examples: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {
            name: {
                "description": meaning,
                "schema": {"type": "string"},
                "required": name in REQUIRED or status == 503,
            }
            for name, meaning in {**HEADERS, **ONLY_WITH.get(status, {})}.items()
        },
        "content": {
            "application/json": {
                "schema": schema,
                "examples": {name: {"value": value} for name, value in examples.items()},
            }
        },
    }


def _examples(status: int) -> Iterator[tuple[str, Any]]:
    """An answer for each code that comes with the status."""
    for error in _leaves(ConversationError):
        failure = error()
        later = isinstance(failure, UpstreamError | InternalError) and status == 206
        elsewhere = failure.status != status and not later
        named_above = getattr(error.__base__, "code", None) == error.code
        if elsewhere or named_above:
            continue
        failure.stage = "request" if isinstance(failure, RequestError) else "stt"
        talk = Conversation(EXAMPLE, failure=failure)
        if later and error is not errors.NoSpeech:
            failure.stage, talk.transcript, talk.reply = "tts", HEARD, REPLY
        if error in (errors.TextIncomplete, errors.TextTruncated):
            talk.speech = SPEECH
        if error is errors.TextIncomplete:
            failure.stage = "text"
        if status == 503:
            failure.retry_after = 2
        yield failure.code, _dump(talk)


def _leaves(error: type[ConversationError]) -> Iterator[type[ConversationError]]:
    for child in error.__subclasses__():
        if child not in (RequestError, UpstreamError):
            yield child
        yield from _leaves(child)


def _worked() -> dict[str, Any]:
    return {"answered": _dump(Conversation(EXAMPLE, HEARD, REPLY, SPEECH))}


def _refusal(error: ConversationError) -> Any:
    return ErrorAnswerSchema().dump({"success": False, "errors": [error]})


def _dump(talk: Conversation) -> Any:
    return ConversationSchema().dump(talk)
