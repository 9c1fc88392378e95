"""Exceptions become answers here: one shape, and the headers that each status promises."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, request
from marshmallow import ValidationError
from werkzeug import exceptions

from parley import log, trace
from parley.errors import (
    ConversationError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RequestError,
    RequestMalformed,
)
from parley.schemas import ErrorAnswerSchema, first_error, seconds
from parley.upload import finish

FOREIGN: Mapping[type[exceptions.HTTPException], type[ConversationError]] = {
    exceptions.BadRequest: RequestMalformed,
    exceptions.MethodNotAllowed: MethodNotAllowed,
    exceptions.NotFound: NotFound,
}


def install(app: Flask) -> None:
    """Make every error of `app` answer in JSON, and every answer carry what it promises."""
    app.before_request(trace.begin)
    app.before_request(_find_section_despite_method)
    app.register_error_handler(Exception, answer_error)
    app.after_request(_promise)


def answer_error(exception: Exception) -> Response:
    """The whole app's answer to an error."""
    error = to_error(exception)
    body = ErrorAnswerSchema().dump({"success": False, "errors": [error]})
    return answer(body, error.status, error)


def answer(body: Any, status: int, failure: ConversationError | None) -> Response:
    """`body` as JSON, with what the headers must say of the failure."""
    response = jsonify(body)
    response.status_code = status
    if failure and failure.retry_after is not None:
        response.headers["Retry-After"] = str(seconds(failure.retry_after))
    return response


def to_error(exception: Exception) -> ConversationError:
    """The error of ours that `exception` is, or means; what nobody foresaw is logged."""
    match exception:
        case ConversationError():
            return exception
        case ValidationError():
            return first_error(exception)
        case exceptions.HTTPException(code=int(code)):
            for foreign, error in FOREIGN.items():
                if isinstance(exception, foreign):
                    return error()
            return _other(exception, code)
    log.unexpected(exception, "request")
    return InternalError()


def _other(exception: exceptions.HTTPException, status: int) -> RequestError:
    """What a later section aborts with, in the same shape: 415 is `unsupported_media_type`."""
    error = RequestError(exception.description or exception.name)
    error.code = exception.name.lower().replace(" ", "_")
    error.status = status
    return error


def _find_section_despite_method() -> None:
    """Let a section answer for a wrong method on its own paths too.

    Flask finds the error handlers of a blueprint only where the whole rule matched.
    """
    refusal = request.routing_exception
    if isinstance(refusal, exceptions.MethodNotAllowed) and refusal.valid_methods:
        method = next(iter(refusal.valid_methods))
        adapter = current_app.create_url_adapter(request)
        if adapter:
            request.url_rule, _ = adapter.match(method=method, return_rule=True)


def _promise(response: Response) -> Response:
    """Say in the headers what the status promises, and keep conversations out of caches."""
    response.headers.setdefault("Cache-Control", "no-store")
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    refusal = request.routing_exception
    if isinstance(refusal, exceptions.MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(refusal.valid_methods or ()))
    trace.finish(response)
    finish(request, response)
    if "leave_place" in g:
        response.call_on_close(g.leave_place)
    return response
