"""Examples for the OpenAPI document: an answer for every status and code."""

from collections.abc import Iterator
from typing import Any

from parley import errors
from parley.conversation.state import Conversation
from parley.errors import ConversationError, InternalError, RequestError, UpstreamError
from parley.memory import Usage
from parley.models.registry import Model
from parley.web.schemas import ConversationSchema, ErrorAnswerSchema

MODELS = {
    "stt": Model("whisper-1", "transcriptions"),
    "text": Model("gpt-4o", "chat"),
    "tts": Model("tts-1", "speech"),
}
HEARD, REPLY, SPEECH = "What is the capital of France?", "It is Paris.", Usage().spool()
SPEECH.write(b"ID3\x04")
WORKED = Conversation(MODELS, HEARD, REPLY, SPEECH)


def by_code(status: int) -> Iterator[tuple[str, Any]]:
    """By code, an example of an answer with the status."""
    for error in leaves(ConversationError):
        failure = error()
        later = isinstance(failure, UpstreamError | InternalError) and status == 206
        elsewhere = failure.status != status and not later
        named_above = getattr(error.__base__, "code", None) == error.code
        if elsewhere or named_above:
            continue
        failure.stage = "request" if isinstance(failure, RequestError) else "stt"
        conversation = Conversation(MODELS, failure=failure)
        if later and error is not errors.NoSpeech:
            failure.stage, conversation.transcript, conversation.reply = "tts", HEARD, REPLY
        if error in (errors.TextIncomplete, errors.TextTruncated):
            conversation.speech = SPEECH
        if error is errors.TextIncomplete:
            failure.stage = "text"
        if status == 503:
            failure.retry_after = 2
        yield failure.code, _dump(conversation)


def leaves(error: type[ConversationError]) -> Iterator[type[ConversationError]]:
    """The error classes that a caller can meet."""
    for child in error.__subclasses__():
        if child not in (RequestError, UpstreamError):
            yield child
        yield from leaves(child)


def worked() -> dict[str, Any]:
    """The answer in which all three stages worked."""
    return {"answered": _dump(WORKED)}


def refusal(error: ConversationError) -> Any:
    """The whole app's answer to an error."""
    return ErrorAnswerSchema().dump({"success": False, "errors": [error]})


def _dump(conversation: Conversation) -> Any:
    return ConversationSchema().dump(conversation)
