"""The chain: hear the caller, think of a reply, speak it."""

from collections.abc import Callable, Iterator

from parley.conversation.stages import Stages
from parley.conversation.state import Conversation
from parley.errors import ConversationError
from parley.models.registry import Models
from parley.recordings import Recording
from parley.upstream.client import Client


def begin(client: Client, models: Models, caller_waits: Callable[[], bool]) -> Stages:
    """The stages of a conversation in which nothing was said yet.

    `caller_waits` is asked before each stage.
    """
    conversation = Conversation(models.by_stage(), calls=client.records)
    return Stages(client, models, caller_waits, conversation)


def converse(stages: Stages, recording: Recording) -> Conversation:
    """The whole conversation, or what there is of it by its first failure.

    A reply that the model did not finish is a failure too, but it is spoken.
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


def begin_to_speak(
    stages: Stages, recording: Recording
) -> tuple[Conversation, Iterator[bytes] | None]:
    """The conversation with its reply, and the speech, which has begun to arrive; None: no speech.

    Where there is nothing to say, the speech is empty. All of it ends once the caller has left.
    """

    def begin() -> Iterator[bytes] | None:
        stages.transcribe(recording)
        stages.think()
        return _from_its_first_piece(stages, stages.begin_speech())

    try:
        return stages.conversation, stages.while_caller_waits(begin)
    except ConversationError as failure:
        stages.conversation.note(failure)
    return stages.conversation, None


def _from_its_first_piece(stages: Stages, pieces: Iterator[bytes] | None) -> Iterator[bytes] | None:
    """The speech, of which the first piece is taken now: what fails until then can be answered."""
    if pieces is None:
        return None
    with stages.stage("tts"):
        first = next(pieces, b"")

    def resumed() -> Iterator[bytes]:
        yield first
        yield from pieces

    return resumed()
