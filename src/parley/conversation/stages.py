"""The three stages of a conversation: speech to text, text to reply, reply to speech."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from parley import log
from parley.conversation.segments import spoken as speakable_reply
from parley.conversation.sentences import first_sentences
from parley.conversation.state import Conversation
from parley.conversation.thoughts import without_thoughts
from parley.deadline import Cancellation
from parley.errors import (
    CallerDisconnected,
    ConversationError,
    InternalError,
    ModelNotFound,
    NoSpeech,
    RequestError,
    TextTruncated,
    UpstreamMalformed,
)
from parley.held import UNFORESEEN
from parley.models.registry import Choice, Model, Models
from parley.recordings import Recording
from parley.upstream.calls import Begun
from parley.upstream.client import Client
from parley.upstream.voices import SPEECH_CHARACTERS

STREAM_SECONDS = 600

Result = TypeVar("Result")


@dataclass(frozen=True)
class Stages:
    """The stages of one conversation. Each writes its result into `conversation`.

    A stage raises ConversationError, which names the stage, and is not begun once the caller has
    disconnected.
    """

    client: Client
    models: Models
    caller_waits: Callable[[], bool]
    conversation: Conversation

    def until_ended(self) -> "Stages":
        """The same stages, in which `end` ends each wait for the upstream."""
        return self._cancelled_by(Cancellation())

    def while_caller_waits(self) -> "Stages":
        """The same stages, in which each wait for the upstream ends once the caller has left."""
        return self._cancelled_by(Cancellation(self._require_caller))

    def _cancelled_by(self, cancellation: Cancellation) -> "Stages":
        deadline = replace(self.client.deadline, cancellation=cancellation)
        return replace(self, client=self.client.until(deadline))

    def go_on(self) -> None:
        """Have the deadline bound each wait for the upstream, and STREAM_SECONDS all of them.

        The caller is being answered: it gets what the upstream sends as it arrives.
        """
        self.client.deadline.extend(STREAM_SECONDS)

    def _require_caller(self) -> None:
        """Raise CallerDisconnected if the caller has left."""
        if not self.caller_waits():
            raise CallerDisconnected()

    def end(self) -> None:
        """End every call that is under way, from any thread, within SLICE_SECONDS."""
        if cancellation := self.client.deadline.cancellation:
            cancellation.cancel(CallerDisconnected)

    def transcribe(self, recording: Recording) -> None:
        """Turn the recording into the transcript, and close it; raise NoSpeech for a blank one."""
        with self.stage("stt"):
            self.conversation.transcript = self.with_fallback(
                "stt", lambda model: self.client.transcribe(recording, model)
            )
            recording.stream.close()  # It may lie on a disk that many conversations share.
            if not self.conversation.transcript:
                raise NoSpeech()

    def think(self) -> None:
        """Turn the transcript into the reply; a reply that is cut short is kept, and noted."""
        transcript = self.conversation.transcript
        with self.stage("text"):
            reply = self.with_fallback(
                "text", lambda model: self.client.complete(transcript, model)
            )
            self.conversation.reply = without_thoughts(reply.text)
            if not self.conversation.reply and not reply.failure:
                raise UpstreamMalformed()
            if reply.failure:
                reply.failure.stage = "text"
                self.conversation.note(reply.failure)

    def speak(self) -> None:
        """Turn the reply into speech; raise TextTruncated if only its beginning was spoken."""
        with self.stage("tts"):
            spoken, is_whole = self._spoken()
            if spoken:
                self.conversation.speech = self.with_fallback(
                    "tts", lambda model: self.client.speak(spoken, model)
                )
            if not is_whole:
                raise TextTruncated()

    def begin_speech(self) -> Iterator[bytes] | None:
        """The reply's speech as it arrives, once its first piece is there.

        None where a reply that failed has nothing to say; empty where another one has not. A speech
        of only the reply's beginning is noted as TextTruncated.
        """
        with self.stage("tts"):
            spoken, is_whole = self._spoken()
            pieces: Iterator[bytes] | None = None if self.conversation.failure else iter(())
            if spoken:
                pieces = self.with_fallback("tts", lambda model: self._stream(spoken, model))
            self.go_on()
            if not is_whole:
                failure = TextTruncated()
                failure.stage = "tts"
                self.conversation.note(failure)
            return pieces

    def _stream(self, text: str, model: Model) -> Iterator[bytes]:
        voice = self.client.voice(model)

        def closed_at_the_end(pieces: Begun[bytes]) -> Iterator[bytes]:
            with closing(voice), closing(pieces):
                yield from pieces

        return closed_at_the_end(self.client.stream_speech(text, voice))

    def _spoken(self) -> tuple[str, bool]:
        """What is spoken of the reply, and whether that is all of it."""
        whole = speakable_reply(self.conversation.reply)
        spoken = first_sentences(whole, SPEECH_CHARACTERS)
        return spoken, spoken == whole

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what a stage does, and name the stage in the failure that ends it.

        Raises CallerDisconnected if the caller has left, and InternalError for foreign exceptions.
        """
        try:
            self._require_caller()
            begun = time.monotonic()
            try:
                yield
            finally:
                seconds = self.conversation.seconds
                seconds[name] = seconds.get(name, 0.0) + time.monotonic() - begun
        except RequestError:
            raise  # Such a failure is the request's, whichever stage found it.
        except ConversationError as failure:
            failure.stage = name
            raise
        except UNFORESEEN as error:
            log.unexpected(error, name)
            ours = InternalError()
            ours.stage = name
            raise ours from None

    def with_fallback(self, stage: str, call: Callable[[Model], Result]) -> Result:
        """What `call` returns for the stage's model, or for its fallback.

        The fallback is tried once, and only if the upstream does not know the model.
        """
        choice: Choice = getattr(self.models, stage)
        if choice.fallback and self.conversation.models_used[stage] is choice.fallback:
            return call(choice.fallback)  # It has answered before.
        try:
            return call(choice.model)
        except ModelNotFound:
            if choice.fallback is None:
                raise
        result = call(choice.fallback)
        log.model_replaced(stage, choice.model.name, choice.fallback.name)
        self.conversation.models_used[stage] = choice.fallback
        return result
