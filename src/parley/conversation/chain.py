"""The chain: speech in, words, a reply, speech out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

import sentencex

from parley import log
from parley.audio import Recording
from parley.errors import (
    CallerDisconnected,
    ConversationError,
    InternalError,
    ModelNotFound,
    NoSpeech,
    RequestError,
    TextTruncated,
)
from parley.models.registry import Model, Models
from parley.upstream.client import SPEECH_CHARACTERS, Client

Result = TypeVar("Result")


@dataclass
class Conversation:
    """What has been said so far; what there is not yet, or never, is empty."""

    models: Models
    transcript: str = field(default="", repr=False)
    reply: str = field(default="", repr=False)
    speech: bytes = field(default=b"", repr=False)
    stage: str = "stt"
    failure: ConversationError | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage took that was begun."""
    calls: list[str] = field(default_factory=list)
    """The upstream's ids of the calls that were made, as Client has them."""

    @property
    def success(self) -> bool:
        """Whether all three stages worked."""
        return self.failure is None

    @property
    def errors(self) -> list[ConversationError]:
        """The first failure, if any."""
        return [self.failure] if self.failure else []

    @property
    def status(self) -> int:
        """The HTTP status: a failure's own, unless there is a transcript to return."""
        if self.failure is None:
            return 200
        return 206 if self.transcript else self.failure.status


def converse(
    client: Client, recording: Recording, models: Models, caller_waits: Callable[[], bool]
) -> Conversation:
    """Hear the recording, think of a reply, and speak it; stop at the first failure.

    No stage is begun for a caller who has gone. A model that the upstream does not know, before its
    time, gives way once to what replaces it. A reply that is not whole is a failure, too, but is
    spoken.
    """
    conversation = Conversation(models, calls=client.calls)

    def run(stage: str, call: Callable[[Model], Result]) -> Result:
        conversation.stage = stage
        if not caller_waits():
            raise CallerDisconnected()
        begun = time.monotonic()
        model: Model = getattr(models, stage)
        try:
            return call(model)
        except ModelNotFound:
            if model.successor is None:
                raise
            result = call(model.successor)
            log.model_replaced(stage, model.name, model.successor.name)
            conversation.models = replace(conversation.models, **{stage: model.successor})
            return result
        finally:
            conversation.seconds[stage] = time.monotonic() - begun

    with _first_failure(conversation):
        conversation.transcript = run("stt", lambda model: client.transcribe(recording, model))
        recording.stream.close()  # Nobody needs it any longer, and many may be waiting.
        if not conversation.transcript:
            raise NoSpeech()

        transcript = conversation.transcript
        reply = run("text", lambda model: client.complete(transcript, model))
        conversation.reply = reply.text
        if reply.failure:
            _keep(conversation, reply.failure)

        speakable = first_sentences(conversation.reply, SPEECH_CHARACTERS)
        conversation.speech = run("tts", lambda model: client.speak(speakable, model))
        if speakable != conversation.reply:
            raise TextTruncated()
    return conversation


@contextmanager
def _first_failure(conversation: Conversation) -> Iterator[None]:
    """Keep the failure that ends the chain, so that what there is by then is still returned."""
    try:
        yield
    except ConversationError as failure:
        _keep(conversation, failure)
    except Exception as error:
        log.unexpected(error, conversation.stage)
        _keep(conversation, InternalError())


def _keep(conversation: Conversation, failure: ConversationError) -> None:
    """Note the failure of the stage that is running, unless there was one before."""
    if not isinstance(failure, RequestError):
        failure.stage = conversation.stage
    conversation.failure = conversation.failure or failure


def first_sentences(text: str, characters: int) -> str:
    """As many of the text's first whole sentences as fit into `characters`.

    Where not even the first fits, as many of its whole words; where those do not, what fits.
    """
    if len(text) <= characters:
        return text
    end = 0
    for sentence in sentencex.segment("en", text):
        if end + len(sentence.rstrip()) > characters:
            break
        end += len(sentence)
    words = text[: characters + 1].rpartition(" ")[0]
    return text[:end].rstrip() or words.rstrip() or text[:characters]
