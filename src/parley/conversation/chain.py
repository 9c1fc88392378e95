"""The chain: hear the caller, think of a reply, speak it. A failure is noted, and ends it."""

from collections.abc import Generator

from parley.conversation.stages import Stages
from parley.conversation.state import Conversation
from parley.recordings import Recording


def converse(stages: Stages, recording: Recording) -> Conversation:
    """The whole conversation, or what there is of it by its first failure.

    A reply that the model did not finish is a failure too, but it is spoken. Whether the caller has
    left is looked at between the stages: the answer comes all at once.
    """
    with stages.conversation.up_to_a_failure():
        stages.transcribe(recording)
        stages.think()
        stages.speak()
    return stages.conversation


def hear(stages: Stages, recording: Recording) -> Conversation:
    """The conversation with its transcript; it ends once the caller has left."""
    with stages.conversation.up_to_a_failure(), stages.while_caller_waits():
        stages.transcribe(recording)
    return stages.conversation


def converse_in_sound(stages: Stages, recording: Recording) -> Generator[bytes] | None:
    """The speech of the reply, which has begun to arrive; None: there is none.

    Where there is nothing to say, the speech is empty. All of it ends once the caller has left.
    """
    with stages.conversation.up_to_a_failure(), stages.while_caller_waits():
        stages.transcribe(recording)
        stages.think()
        return stages.begin_speech()
    return None
