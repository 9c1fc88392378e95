"""Refusals, in the upstream's own envelope: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import json

from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response


class ApiError(HTTPException):
    """A refusal: its HTTP status, one sentence, the field it is about and the upstream's code."""

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = status  # werkzeug's name for the status
        self.param = param
        self.error_code = code


def refused_field(error: ValidationError) -> ApiError:
    """A 400 for the first field that a schema refused, named by its path: `messages[0].role`."""
    path, found = "", error.normalized_messages()
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        path += f"[{key}]" if isinstance(key, int) else f".{key}"
    param = path.removeprefix(".")
    return ApiError(400, f"Invalid '{param}': {found[0]}", param)


def envelope(error: HTTPException) -> str:
    """The error as the upstream words it, in JSON."""
    is_ours = (error.code or 500) >= 500
    fields = {
        "message": error.description,
        "type": "server_error" if is_ours else "invalid_request_error",
        "param": getattr(error, "param", None),
        "code": getattr(error, "error_code", None),
    }
    return json.dumps({"error": fields})


def answer(error: HTTPException) -> Response:
    """The error as a response, with the headers that its status promises (`Allow` with 405)."""
    response = error.get_response()
    response.data = envelope(error)
    response.content_type = "application/json"
    return response
