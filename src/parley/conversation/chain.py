"""The chain: hear the caller, think of a reply, speak it."""

from collections.abc import Generator

from parley.conversation.stages import Stages
from parley.conversation.state import Conversation
from parley.errors import ConversationError
from parley.recordings import Recording


def converse(stages: Stages, recording: Recording) -> Conversation:
    """The whole conversation, or what there is of it by its first failure.

    A reply that the model did not finish is a failure too, but it is spoken. Whether the caller has
    left is looked at between the stages: the answer comes all at once.
    """
    try:
        stages.transcribe(recording)
        stages.think()
        stages.speak()
    except ConversationError as failure:
        stages.conversation.note(failure)
    return stages.conversation


def hear(stages: Stages, recording: Recording) -> Conversation:
    """The conversation with its transcript, or with the failure to get one.

    It ends once the caller has left.
    """
    try:
        stages.while_caller_waits(lambda: stages.transcribe(recording))
    except ConversationError as failure:
        stages.conversation.note(failure)
    return stages.conversation


def begin_to_speak(stages: Stages, recording: Recording) -> Generator[bytes] | None:
    """The speech of the reply, which has begun to arrive; None: there is none.

    Where there is nothing to say, the speech is empty. All of it ends once the caller has left.
    """

    def begin() -> Generator[bytes] | None:
        stages.transcribe(recording)
        stages.think()
        return stages.begin_speech()

    try:
        return stages.while_caller_waits(begin)
    except ConversationError as failure:
        stages.conversation.note(failure)
        return None
