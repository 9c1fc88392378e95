"""The HTTP status of an answer."""

from parley.conversation.state import Conversation


def status_of(conversation: Conversation) -> int:
    """200 if all stages worked, 206 from the transcript on, else the failure's own."""
    if conversation.failure is None:
        return 200
    return 206 if conversation.transcript else conversation.failure.status
