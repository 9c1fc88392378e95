"""Which of our errors an exception means, and the whole app's answer to it."""

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException

from parley import errors
from parley.conversation.state import failure_of
from parley.web.answers import ErrorAnswerSchema, set_status

ABORTS = {
    400: errors.RequestMalformed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.AudioTooLarge,  # No request of that size could hold an allowed file.
}
"""By the status of Werkzeug's exception, the error that it means."""


def answer_exception(exception: Exception) -> Response:
    """The whole app's answer to an exception; the conversation has one of its own."""
    error = error_of(exception)
    body = ErrorAnswerSchema().dump({"success": False, "errors": [error]})
    return set_status(jsonify(body), error.status, error)


def error_of(exception: Exception) -> errors.ConversationError:
    """The error of ours that `exception` is or means; an unexpected exception is logged."""
    match exception:
        case HTTPException(code=int(status)) if status in ABORTS:
            return ABORTS[status]()
        case HTTPException(code=int(status)):  # A section aborted: 415 is `unsupported_media_type`.
            error = errors.RequestError(exception.description or exception.name)
            error.code, error.status = exception.name.lower().replace(" ", "_"), status
            return error
    return failure_of(exception, "request")
