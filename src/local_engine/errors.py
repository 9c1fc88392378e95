"""Refusals in the upstream's own envelope: `{"error": {message, type, param, code}}`."""

import json

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response


class ApiError(HTTPException):
    def __init__(self, status: int, message: str, param: str | None, reason: str | None = None):
        """A status, one sentence, the field that it is about, and the upstream's code for it."""
        super().__init__(message)
        self.code, self.param, self.reason = status, param, reason


def answer(error: HTTPException) -> Response:
    """The error as the upstream words it, with the headers that its status promises (`Allow`)."""
    response = error.get_response()
    response.content_type = "application/json"
    fields = {
        "message": error.description,
        "type": "server_error" if response.status_code >= 500 else "invalid_request_error",
        "param": getattr(error, "param", None),
        "code": getattr(error, "reason", None),
    }
    response.data = json.dumps({"error": fields})
    return response
