"""The three stages of a conversation: speech to text, text to reply, reply to speech."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import gevent

from parley import log
from parley.conversation.segments import speakable_parts
from parley.conversation.sentences import first_sentences
from parley.conversation.state import Conversation, failure_of
from parley.conversation.thoughts import without_thoughts
from parley.deadline import let_others_run
from parley.errors import (
    CallerDisconnected,
    ModelNotFound,
    NoSpeech,
    TextTruncated,
    UpstreamMalformed,
)
from parley.held_too_long import ANY_ERROR
from parley.models.registry import Model
from parley.recordings import Recording
from parley.upstream.client import SPEECH_CHARACTERS, Client

STREAM_SECONDS = 600
"""The longest that a caller may be answered for, once its answer has begun."""

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
    models: dict[str, Model]
    caller_waits: Callable[[], bool]
    conversation: Conversation = field(init=False)
    _began: dict[str, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.conversation = Conversation(self.models, attempts=self.client.records)

    @property
    def voice(self) -> str:
        """The name of the voice."""
        return self.conversation.models_used["tts"].voice_for(self.client.options.voice)

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
            if reply.failure:
                self.conversation.note(failure_of(reply.failure, "text"))
            elif not self.conversation.reply:
                raise UpstreamMalformed()

    def speak(self) -> None:
        """Turn the reply into speech."""
        self.conversation.speech = self._speak_reply(self.client.speak)

    def begin_speech(self) -> Generator[bytes] | None:
        """The reply's speech as it arrives, once its first piece is there; close it in any case.

        None where a reply that failed has nothing to say; empty where another one has not.
        """
        speech = self._speak_reply(self.client.stream_speech)
        self.bound_each_wait()
        return speech or (None if self.conversation.failure else _nothing())

    def bound_each_wait(self) -> None:
        """Have the deadline bound each wait for the upstream, and STREAM_SECONDS all of them."""
        self.client.deadline.extend(STREAM_SECONDS)

    def _speak_reply(self, speak: Callable[[str, Model], Result]) -> Result | None:
        """What `speak` makes of the reply, made speakable; None if nothing is left to say.

        If it is longer than SPEECH_CHARACTERS, its first sentences are spoken, and TextTruncated is
        noted. Others run meanwhile, and the rest is not looked at.
        """
        with self.stage("tts"):
            text, speech, is_whole = "", None, True
            for part in speakable_parts(self.conversation.reply):
                if part:
                    text += f" {part}" if text else part
                else:
                    self.client.deadline.require_time()
                    let_others_run()
                if len(text) > SPEECH_CHARACTERS:
                    text, is_whole = first_sentences(text, SPEECH_CHARACTERS), False
                    break
            if text:
                speech = self.with_fallback("tts", lambda model: speak(text, model))
            if not is_whole:
                self.conversation.note(failure_of(TextTruncated(), "tts"))
            return speech

    def arriving(self, speech: Generator[bytes]) -> Iterator[bytes]:
        """The pieces of a speech that has begun; raise CallerDisconnected once the caller left."""
        while piece := self._next(speech):
            yield piece

    def _next(self, speech: Generator[bytes]) -> bytes:
        with self.while_caller_waits():
            return next(speech, b"")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage from its first block on, and name it in the failure that ends the block.

        Raises CallerDisconnected if the caller has left, and InternalError for foreign exceptions.
        """
        try:
            if not self.caller_waits():
                raise CallerDisconnected()
            began = self._began.setdefault(name, time.monotonic())
            try:
                yield
            finally:
                self.conversation.seconds[name] = time.monotonic() - began
        except ANY_ERROR as error:
            raise failure_of(error, name) from None

    def with_fallback(self, stage: str, call: Callable[[Model], Result]) -> Result:
        """What `call` returns for the stage's model, or for its fallback, which is then used on.

        The fallback is tried once, and only if the upstream does not know the model.
        """
        model = self.conversation.models_used[stage]
        try:
            return call(model)
        except ModelNotFound:
            if not (fallback := model.fallback):
                raise
        result = call(fallback)
        log.model_replaced(stage, model.name, fallback.name)
        self.conversation.models_used[stage] = fallback
        return result

    @contextmanager
    def while_caller_waits(self) -> Iterator[None]:
        """A block that ends, wherever it waits, with CallerDisconnected once the caller has left.

        As in `Deadline.wait`, what ends it is a BaseException, and no `yield` may stand in it.
        """
        working, end = gevent.getcurrent(), gevent.GreenletExit()

        def look() -> None:
            if not self.caller_waits():
                working.throw(end)

        with closing(gevent.get_hub().loop.timer(LOOK_SECONDS, LOOK_SECONDS)) as timer:
            timer.start(look)
            try:
                yield
            except gevent.GreenletExit as raised:
                if raised is not end:
                    raise  # The greenlet is killed.
                raise CallerDisconnected() from None


def _nothing() -> Generator[bytes]:
    yield from ()
