"""The three stages of a conversation: speech to text, text to reply, reply to speech."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import gevent

from parley import log
from parley.conversation.segments import speakable_parts
from parley.conversation.sentences import first_sentences
from parley.conversation.state import Conversation
from parley.conversation.thoughts import without_thoughts
from parley.deadline import let_others_run
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

LOOK_SECONDS = 0.25
"""How often `while_caller_waits` looks whether the caller is still there."""

Result = TypeVar("Result")


@dataclass
class Stages:
    """The stages of one conversation. Each writes its result into `conversation`.

    A stage raises ConversationError, which names the stage, and is not begun once the caller has
    disconnected.
    """

    client: Client
    models: Models
    caller_waits: Callable[[], bool]
    conversation: Conversation

    def while_caller_waits(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises; CallerDisconnected, where the caller has left before.

        It runs in a greenlet of its own, which is ended then, wherever it waits.
        """
        working = gevent.spawn(_outcome, work)
        try:
            working.join(LOOK_SECONDS)
            while not working.ready():
                self._require_caller()
                working.join(LOOK_SECONDS)
        except CallerDisconnected:
            working.kill()
            raise
        except BaseException:
            working.kill(block=False)
            raise
        result, failure = working.get()
        if failure:
            raise failure
        returned: Result = result
        return returned

    def go_on(self) -> None:
        """Have the deadline bound each wait for the upstream, and STREAM_SECONDS all of them.

        The caller is being answered: it gets what the upstream sends as it arrives.
        """
        self.client.deadline.extend(STREAM_SECONDS)

    def _require_caller(self) -> None:
        """Raise CallerDisconnected if the caller has left."""
        if not self.caller_waits():
            raise CallerDisconnected()

    def transcribe(self, recording: Recording) -> None:
        """Turn the recording into the transcript, and close it; raise NoSpeech for a blank one."""
        with self.stage("stt"):
            self.conversation.transcript = self.with_fallback(
                "stt", lambda model: self.client.transcribe(recording, model)
            )
            self.client.usage.add_text(self.conversation.transcript)
            recording.stream.close()  # It may lie on a disk that many conversations share.
            if not self.conversation.transcript:
                raise NoSpeech()

    def think(self) -> None:
        """Turn the transcript into the reply; what there is of a broken one is kept, and noted."""
        transcript = self.conversation.transcript
        with self.stage("text"):
            reply = self.with_fallback(
                "text", lambda model: self.client.complete(transcript, model)
            )
            self.conversation.reply = without_thoughts(reply.text)
            self.client.usage.add_text(self.conversation.reply)
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
                while piece := self.while_caller_waits(lambda: next(pieces, b"")):
                    yield piece

        return closed_at_the_end(self.client.stream_speech(text, voice))

    def _spoken(self) -> tuple[str, bool]:
        """What is spoken of the reply, and whether that is all of it.

        Others run meanwhile, and what is too long to be spoken is not looked at.
        """
        spoken = ""
        for part in speakable_parts(self.conversation.reply):
            if part:
                spoken += f" {part}" if spoken else part
            else:
                self.client.deadline.left()
                let_others_run()
            if len(spoken) > SPEECH_CHARACTERS:
                return first_sentences(spoken, SPEECH_CHARACTERS), False
        return spoken, True

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


def _outcome(work: Callable[[], Result]) -> tuple[Result | None, BaseException | None]:
    """What `work` returns, or the exception that it raises, which gevent would print."""
    try:
        return work(), None
    except UNFORESEEN as error:
        return None, error
