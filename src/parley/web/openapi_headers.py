"""The headers of a request for the OpenAPI document: its keys as security, the others as fields."""

from typing import Any

from parley.web.caller_headers import (
    BASE_URL_HEADER,
    KEY_HEADER,
    STAGE_BASE_URL_HEADERS,
    STAGE_KEY_HEADERS,
)

SCHEMES: dict[str, dict[str, str]] = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": "The main key, or the token of a service that asks for one.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": f"The same as {KEY_HEADER}, which counts where both are sent.",
    },
    **{
        f"{stage}_key": {
            "type": "apiKey",
            "in": "header",
            "name": header,
            "description": f"The key of the stage {stage}. With tokens it is refused.",
        }
        for stage, header in STAGE_KEY_HEADERS.items()
    },
}

SECURITY: list[dict[str, list[str]]] = [
    {"key": []},
    {"bearer": []},
    {f"{stage}_key": [] for stage in STAGE_KEY_HEADERS},
    {},
]
"""What suffices: a main key, or a key for each stage, or none where no host asks for one."""

MEANINGS = {
    BASE_URL_HEADER: "The OpenAI-compatible API to call instead of the service's own.",
    **{
        header: f"The OpenAI-compatible API to call for the stage {stage}."
        for stage, header in STAGE_BASE_URL_HEADERS.items()
    },
    "X-Request-ID": "Your id for the request: 1 to 128 of A-Z a-z 0-9 . _ : -",
}

PARAMETERS: list[dict[str, Any]] = [
    {"in": "header", "name": name, "schema": {"type": "string"}, "description": meaning}
    for name, meaning in MEANINGS.items()
]
