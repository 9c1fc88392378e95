"""Error handlers: which of our errors an exception means, and the whole app's answer to it."""

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from parley import log
from parley.errors import (
    ConversationError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RequestError,
    RequestMalformed,
)
from parley.web.answers import ErrorAnswerSchema, set_status
from parley.web.serving.request_connection import connection_of

ABORTS = {400: RequestMalformed, 404: NotFound, 405: MethodNotAllowed}
"""By the status of Werkzeug's exception, the error that it means."""


def install(app: Flask) -> None:
    """Make `app` answer every error in JSON."""
    app.before_request(_raise_servers_error)
    app.register_error_handler(Exception, answer_exception)


def answer_exception(exception: Exception) -> Response:
    """The whole app's answer to an exception; the conversation has one of its own."""
    error = error_of(exception)
    body = ErrorAnswerSchema().dump({"success": False, "errors": [error]})
    return set_status(jsonify(body), error.status, error)


def error_of(exception: Exception) -> ConversationError:
    """The error of ours that `exception` is or means; an unexpected exception is logged."""
    match exception:
        case ConversationError():
            return exception
        case HTTPException(code=int(status)) if status in ABORTS:
            return ABORTS[status]()
        case HTTPException(code=int(status)):  # A section aborted: 415 is `unsupported_media_type`.
            error = RequestError(exception.description or exception.name)
            error.code, error.status = exception.name.lower().replace(" ", "_"), status
            return error
    log.unexpected(exception, "request")
    return InternalError()


def _raise_servers_error() -> None:
    """Raise the error that the server found while it read the request; no route is called."""
    if (connection := connection_of(request)) and connection.refusal:
        raise connection.refusal
