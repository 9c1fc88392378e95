"""The chain: hear the caller, think of a reply, speak it."""

from collections.abc import Callable

from parley.audio import Recording
from parley.conversation.stages import Stages
from parley.conversation.state import Conversation
from parley.errors import ConversationError
from parley.models.registry import Models
from parley.upstream.client import Client


def converse(
    client: Client, recording: Recording, models: Models, caller_waits: Callable[[], bool]
) -> Conversation:
    """The whole conversation, or what there is of it by its first failure.

    `caller_waits` is asked before each stage. A reply that the model did not finish is a failure
    too, but it is spoken.
    """
    conversation = Conversation(models.by_stage(), calls=client.calls.records)
    stages = Stages(client, models, caller_waits, conversation)
    try:
        stages.transcribe(recording)
        stages.think()
        stages.speak()
    except ConversationError as failure:
        conversation.note(failure)
    return conversation
