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
from parley.web.option_fields import LINE_CHARACTERS, LineField
from parley.web.schemas import (
    Base64Field,
    ConversationRequestSchema,
    ConversationSchema,
    ErrorAnswerSchema,
    RecordingField,
)

STATUSES = {
    200: "All three stages worked.",
    206: "A later stage failed, or no speech was recognised; the answer holds what there is.",
    400: "The request cannot be used, or the upstream refused the recording.",
    401: "There is no API key, or the upstream refused it.",
    405: "The method is not POST.",
    500: "Any other failure before there was a transcript.",
    503: "Every slot is taken; nothing was started.",
}
HEADERS = {
    "Cache-Control": "Always no-store.",
    "X-Request-ID": "The id of the request: the one that the caller sent, or a new one.",
    "Server-Timing": "The milliseconds of each stage that was started, and the total.",
}
ONLY_WITH = {
    206: {
        "Retry-After": "The seconds that the upstream asks to wait; absent where it does not say."
    },
    401: {"WWW-Authenticate": "Always Bearer."},
    405: {"Allow": "The methods that the address takes."},
    500: {
        "Retry-After": "The seconds that the upstream asks to wait; absent where it does not say."
    },
    503: {"Retry-After": "Seconds after which a slot may be free."},
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
    converter.map_to_openapi_type(LineField, "string", None)
    for name, schema in (
        ("ConversationRequest", ConversationRequestSchema),
        ("Conversation", ConversationSchema),
        ("ErrorAnswer", ErrorAnswerSchema),
    ):
        spec.components.schema(name, schema=schema)
    spec.components.security_scheme("key", {"type": "apiKey", "in": "header", "name": KEY_HEADER})
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.path("/api/conversation/", operations={"post": _converse()})
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
    """Add what the schemas do not say: which keys are required, and which values are possible."""
    for stage in INTERFACES:
        schemas["ConversationRequest"]["properties"][f"{stage}_model"]["maxLength"] = (
            LINE_CHARACTERS
        )
    for name in ("Conversation", "ErrorAnswer", "Models"):
        schemas[name]["required"] = list(schemas[name]["properties"])
    schemas["Conversation"]["properties"]["errors"]["maxItems"] = 1
    schemas["Error"]["required"] = ["stage", "code", "message"]
    properties = schemas["Error"]["properties"]
    properties["stage"]["enum"] = ["request", *INTERFACES]
    properties["code"]["enum"] = sorted({error.code for error in _leaves(ConversationError)})
    properties["retry_after"] = {"type": "integer", "minimum": 0}


def _converse() -> dict[str, Any]:
    """The operation POST /api/conversation/."""
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
                (
                    BASE_URL_HEADER,
                    "The OpenAI-compatible API to call instead of the service's own.",
                ),
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
    """By code, an example of an answer with the status."""
    for error in _leaves(ConversationError):
        failure = error()
        later = isinstance(failure, UpstreamError | InternalError) and status == 206
        elsewhere = failure.status != status and not later
        named_above = getattr(error.__base__, "code", None) == error.code
        if elsewhere or named_above:
            continue
        failure.stage = "request" if isinstance(failure, RequestError) else "stt"
        conversation = Conversation(EXAMPLE, failure=failure)
        if later and error is not errors.NoSpeech:
            failure.stage, conversation.transcript, conversation.reply = "tts", HEARD, REPLY
        if error in (errors.TextIncomplete, errors.TextTruncated):
            conversation.speech = SPEECH
        if error is errors.TextIncomplete:
            failure.stage = "text"
        if status == 503:
            failure.retry_after = 2
        yield failure.code, _dump(conversation)


def _leaves(error: type[ConversationError]) -> Iterator[type[ConversationError]]:
    for child in error.__subclasses__():
        if child not in (RequestError, UpstreamError):
            yield child
        yield from _leaves(child)


def _worked() -> dict[str, Any]:
    return {"answered": _dump(Conversation(EXAMPLE, HEARD, REPLY, SPEECH))}


def _refusal(error: ConversationError) -> Any:
    return ErrorAnswerSchema().dump({"success": False, "errors": [error]})


def _dump(conversation: Conversation) -> Any:
    return ConversationSchema().dump(conversation)
