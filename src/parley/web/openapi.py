"""The API as an OpenAPI document, from the schemas and the errors themselves."""

import json
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from parley.errors import ConversationError, MethodNotAllowed
from parley.models.registry import INTERFACES
from parley.upstream.options import AUDIO_FORMATS
from parley.web import openapi_examples as examples
from parley.web import openapi_stream
from parley.web.openapi_headers import PARAMETERS, SCHEMES, SECURITY
from parley.web.option_fields import (
    HISTORY_BYTES,
    HISTORY_TURNS,
    LANGUAGE,
    LINE_CHARACTERS,
    PROMPT_CHARACTERS,
    AudioFormatField,
    HistoryField,
    LanguageField,
    LineField,
    SystemPromptField,
)
from parley.web.representation import SOUND_TYPES
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
    401: "There is no API key or token, or it was refused.",
    405: "The method is not POST.",
    500: "Any other failure before there was a transcript.",
    503: "The service is full; nothing was started.",
}
HEADERS = {
    "Cache-Control": "Always no-store.",
    "Vary": "Always names Accept, which chooses the representation.",
    "X-Request-ID": "The id of the request: the one that the caller sent, or a new one.",
    "Server-Timing": "The milliseconds of each stage that was started, and the total.",
}
OF_SPEECH = {
    "X-Voice": "The voice that spoke, percent-encoded; in JSON and with sound alone.",
    "X-Transcript": "With sound alone: the transcript, percent-encoded, at most 1,000 bytes.",
    "X-Text-Response": "With sound alone: the reply, percent-encoded, at most 2,000 bytes.",
    "X-Models-Used": "With sound alone: stt=…, text=…, tts=…",
}
ONLY_WITH = {
    200: OF_SPEECH,
    206: {
        **OF_SPEECH,
        "X-Errors": "With sound alone: the code of the failure.",
        "Retry-After": "The seconds that the upstream asks to wait; absent where it does not say.",
    },
    401: {"WWW-Authenticate": "Always Bearer."},
    405: {"Allow": "The methods that the address takes."},
    500: {
        "Retry-After": "The seconds that the upstream asks to wait; absent where it does not say."
    },
    503: {"Retry-After": "Seconds after which a slot may be free."},
}
REQUIRED = {"Cache-Control", "Vary", "X-Request-ID", "Server-Timing", "WWW-Authenticate", "Allow"}


def document() -> str:
    """The document as JSON, ending without a newline."""
    plugin = MarshmallowPlugin()
    about = (
        "Speech in, a spoken answer out: as JSON, as a stream of events (text/event-stream), or as "
        "sound alone (audio/…), as Accept asks. Errors of the whole service (not_found, "
        "method_not_allowed) are ErrorAnswer at other addresses, and so are headers_too_large "
        "(431) and request_malformed where the address cannot be read."
    )
    spec = APISpec("Parley", "1", "3.1.0", plugins=[plugin], info={"description": about})
    converter: Any = plugin.converter
    converter.map_to_openapi_type(RecordingField, "string", "binary")
    converter.map_to_openapi_type(Base64Field, "string", "byte")
    for field in (LineField, AudioFormatField, LanguageField, SystemPromptField, HistoryField):
        converter.map_to_openapi_type(field, "string", None)
    for name, schema in (
        ("ConversationRequest", ConversationRequestSchema),
        ("Conversation", ConversationSchema),
        ("ErrorAnswer", ErrorAnswerSchema),
    ):
        spec.components.schema(name, schema=schema)
    for name, scheme in SCHEMES.items():
        spec.components.security_scheme(name, scheme)
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
                        {"method_not_allowed": examples.refusal(MethodNotAllowed())},
                    ),
                },
            }
        },
    )
    whole = spec.to_dict()
    schemas = whole["components"]["schemas"]
    _narrow(schemas)
    worked = whole["paths"]["/api/conversation/"]["post"]["responses"]["200"]["content"]
    worked["text/event-stream"]["schema"] = openapi_stream.schema(schemas)
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _narrow(schemas: dict[str, Any]) -> None:
    """Add what the schemas do not say: which keys are required, and which values are possible."""
    fields = schemas["ConversationRequest"]["properties"]
    for name in ("voice", *(f"{stage}_model" for stage in INTERFACES)):
        fields[name]["maxLength"] = LINE_CHARACTERS
    fields["audio_format"] |= {"enum": list(AUDIO_FORMATS), "default": AUDIO_FORMATS[0]}
    fields["language"] |= {"pattern": f"^{LANGUAGE.pattern}$", "description": "ISO 639-1."}
    fields["system_prompt"]["maxLength"] = PROMPT_CHARACTERS
    fields["history"]["description"] = (
        f"Earlier turns, as a text or as a file: a JSON list of at most {HISTORY_TURNS} objects "
        'like {"role": "user", "content": "…"} (or "assistant"), '
        f"{HISTORY_BYTES // 1024} KB in all."
    )
    for name in ("Conversation", "ErrorAnswer", "Models"):
        schemas[name]["required"] = list(schemas[name]["properties"])
    schemas["Conversation"]["properties"]["errors"]["maxItems"] = 1
    schemas["Error"]["required"] = ["stage", "code", "message"]
    properties = schemas["Error"]["properties"]
    properties["stage"]["enum"] = ["request", *INTERFACES]
    properties["code"]["enum"] = sorted(
        {error.code for error in examples.leaves(ConversationError)}
    )
    properties["retry_after"] = {"type": "integer", "minimum": 0}


def _converse() -> dict[str, Any]:
    """The operation POST /api/conversation/."""
    return {
        "operationId": "converse",
        "summary": "Hear a recording, think of a reply, speak it",
        "security": SECURITY,
        "parameters": PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": ConversationRequestSchema}},
        },
        "responses": {
            str(status): _spoken(
                _answer(
                    description,
                    status,
                    ConversationSchema,
                    dict(examples.by_code(status)) or examples.worked(),
                ),
                status,
            )
            for status, description in STATUSES.items()
        },
    }


def _spoken(answer: dict[str, Any], status: int) -> dict[str, Any]:
    """The answer with the representations beside JSON that its status can have."""
    if status == 200:
        answer["content"]["text/event-stream"] = {"example": openapi_stream.example()}
    if status in (200, 206):
        sound = {"schema": {"type": "string", "format": "binary"}}
        answer["content"] |= dict.fromkeys(SOUND_TYPES.values(), sound)
    return answer


def _answer(description: str, status: int, schema: Any, values: dict[str, Any]) -> dict[str, Any]:
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
                "examples": {name: {"value": value} for name, value in values.items()},
            }
        },
    }
