"""Answers: their statuses, and the headers of every answer."""

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from parley.conversation.state import Conversation
from parley.errors import ConversationError
from parley.web.schemas import seconds


def status_of(conversation: Conversation) -> int:
    """The HTTP status: the failure's own, or 206 where there is a transcript to return."""
    if conversation.failure is None:
        return 200
    return 206 if conversation.transcript else conversation.failure.status


def set_status(response: Response, status: int, failure: ConversationError | None) -> Response:
    """The response with its status, and with `Retry-After` where the failure knows the time."""
    response.status_code = status
    if failure and failure.retry_after is not None:
        response.headers["Retry-After"] = str(seconds(failure.retry_after))
    return response


def add_promised_headers(response: Response) -> None:
    """Add what the status promises; caches keep nothing but what says so itself."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.vary.add("Accept")  # flask-cors adds Origin.
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    refusal = request.routing_exception
    if isinstance(refusal, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(refusal.valid_methods or ()))
