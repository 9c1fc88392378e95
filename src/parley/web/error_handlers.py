"""Error handlers: which of our errors an exception means, and the whole app's answer to it."""

from collections.abc import Mapping

from flask import Flask, Response, request
from werkzeug import exceptions

from parley import log
from parley.errors import (
    CallerDisconnected,
    ConversationError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RequestError,
    RequestMalformed,
)
from parley.web.answers import error_answer
from parley.web.serving.request_connection import connection_of

FOREIGN: Mapping[type[exceptions.HTTPException], type[ConversationError]] = {
    exceptions.ClientDisconnected: CallerDisconnected,  # A BadRequest, so it comes before it.
    exceptions.BadRequest: RequestMalformed,
    exceptions.MethodNotAllowed: MethodNotAllowed,
    exceptions.NotFound: NotFound,
}


def install(app: Flask) -> None:
    """Make `app` answer every error in JSON."""
    app.before_request(_raise_servers_error)
    app.register_error_handler(Exception, answer_exception)


def answer_exception(exception: Exception) -> Response:
    """The whole app's answer to an exception."""
    return error_answer(error_of(exception))


def error_of(exception: Exception) -> ConversationError:
    """The error of ours that `exception` is or means; an unexpected exception is logged."""
    match exception:
        case ConversationError():
            return exception
        case exceptions.HTTPException(code=int(code)):
            for foreign, error in FOREIGN.items():
                if isinstance(exception, foreign):
                    return error()
            return _error_of_abort(exception, code)
    log.unexpected(exception, "request")
    return InternalError()


def _error_of_abort(exception: exceptions.HTTPException, status: int) -> RequestError:
    """The error for a status that a section aborts with: 415 is `unsupported_media_type`."""
    error = RequestError(exception.description or exception.name)
    error.code = exception.name.lower().replace(" ", "_")
    error.status = status
    return error


def _raise_servers_error() -> None:
    """Raise the error that the server found while it read the request; no route is called."""
    if (connection := connection_of(request)) and connection.refusal:
        raise connection.refusal
