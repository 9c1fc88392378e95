"""The chain of a conversation: hear, think of a reply, speak it, up to a failure; and its state."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import gevent

from parley import errors, log
from parley.conversation.segments import segments_of
from parley.conversation.thoughts import without_thoughts
from parley.memory import Spool
from parley.models.registry import Model
from parley.recordings import Recording
from parley.upstream.calls import AttemptRecord, Result
from parley.upstream.client import SPEECH_CHARACTERS, Client

STREAM_SECONDS = 600  # How long an answer may go on once begun; PARLEY_DEADLINE bounds each wait.
LOOK_SECONDS = 0.25  # How often to look whether the caller is still connected.


@dataclass
class Conversation:
    """What there is so far. What there is not yet, or never will be, is empty, or None."""

    models_used: dict[str, Model]  # By stage; a fallback only once it has answered.
    transcript: str = field(default="", repr=False)
    reply: str = field(default="", repr=False)
    speech: Spool | None = field(default=None, repr=False)
    failure: errors.ConversationError | None = None  # The first failure. Later ones are not told.
    seconds: dict[str, float] = field(default_factory=dict)  # Each stage's, as its blocks end.
    attempts: Sequence[AttemptRecord] = ()  # One of each attempt at each call to the upstream.

    @property
    def failures(self) -> list[errors.ConversationError]:
        """The first failure, if any."""
        return [self.failure] if self.failure else []

    def note(self, failure: errors.ConversationError) -> None:
        """Keep the failure, unless there was one before: the first failure stands."""
        self.failure = self.failure or failure

    @contextmanager
    def up_to_a_failure(self) -> Iterator[None]:
        """A block that ends at its first ConversationError, which is noted."""
        try:
            yield
        except errors.ConversationError as failure:
            self.note(failure)


def with_stage(error: BaseException, stage: str) -> errors.ConversationError:
    """The error, its stage set; InternalError for an unexpected one, which is logged."""
    if not isinstance(error, errors.ConversationError):
        log.unexpected(error, stage)
        error = errors.InternalError()
    if not isinstance(error, errors.RequestError):  # Its stage stays `request`.
        error.stage = stage
    return error


class Stages:
    """A conversation's stages: each writes into `conversation`, or raises ConversationError."""

    def __init__(self, client: Client, caller_is_connected: Callable[[], bool]) -> None:
        self.client, self.caller_is_connected = client, caller_is_connected
        # Shared: the client's calls write into `models_used` and `attempts`.
        self.conversation = Conversation(client.models_used, attempts=client.attempts)
        self._began: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A block of a stage: its failure names the stage, whose time begins with its first block.

        Raises CallerDisconnected if the caller has left, and InternalError for foreign exceptions.
        """
        try:
            if not self.caller_is_connected():
                raise errors.CallerDisconnected()
            began = self._began.setdefault(name, time.monotonic())
            try:
                yield
            finally:
                self.conversation.seconds[name] = time.monotonic() - began
        except errors.ANY_ERROR as error:
            raise with_stage(error, name) from None

    @contextmanager
    def while_connected(self) -> Iterator[None]:
        """A block that ends, wherever it waits, with CallerDisconnected once the caller has left.

        As in `Deadline.wait`, what ends it is a BaseException, and no `yield` may stand in it.
        """
        working, end = gevent.getcurrent(), gevent.GreenletExit()

        def look() -> None:
            if not self.caller_is_connected():
                working.throw(end)

        with closing(gevent.get_hub().loop.timer(LOOK_SECONDS, LOOK_SECONDS)) as timer:
            timer.start(look)
            try:
                yield
            except gevent.GreenletExit as raised:
                if raised is not end:
                    raise  # The greenlet is killed.
                raise errors.CallerDisconnected() from None

    def converse(self, recording: Recording) -> Conversation:
        """The conversation up to its first failure; it ends between stages if the caller left."""
        with self.conversation.up_to_a_failure():
            self._hear(recording)
            self._think()
            self.conversation.speech = self._speak(self.client.speak)
        return self.conversation

    def transcribe(self, recording: Recording) -> Conversation:
        """The conversation with its transcript; it ends once the caller has left."""
        with self.conversation.up_to_a_failure(), self.while_connected():
            self._hear(recording)
        return self.conversation

    def converse_in_sound(self, recording: Recording) -> Generator[bytes] | None:
        """The speech of the reply, once it has begun: close it. None where a failure left none."""
        with self.conversation.up_to_a_failure(), self.while_connected():
            self._hear(recording)
            self._think()
            speech = self._speak(self.client.stream_speech)
            self.client.deadline.extend(STREAM_SECONDS)
            if speech or self.conversation.failure:
                return speech
            return (piece for piece in list[bytes]())  # There is nothing to say.
        return None

    def _hear(self, recording: Recording) -> None:
        """Turn the recording into the transcript, and close it; raise NoSpeech for a blank one."""
        with self.stage("stt"):
            self.conversation.transcript = self.client.transcribe(recording)
            self.client.usage.add_text(self.conversation.transcript)
            recording.stream.close()  # It may lie on a disk that many conversations share.
            if not self.conversation.transcript:
                raise errors.NoSpeech()

    def _think(self) -> None:
        """Turn the transcript into the reply; one that is not whole is kept, its failure noted."""
        with self.stage("text"):
            text, failure = self.client.complete(self.conversation.transcript)
            self.conversation.reply = without_thoughts(text)
            self.client.usage.add_text(self.conversation.reply)
            if failure:
                self.conversation.note(with_stage(failure, "text"))
            elif not self.conversation.reply:
                raise errors.ThoughtsAlone()

    def _speak(self, speak: Callable[[str], Result]) -> Result | None:
        """What `speak` makes of the reply, made speakable; None if nothing is left to say."""
        with self.stage("tts"):
            text, sentences, is_cut = "", "", False  # `sentences`: `text` up to a whole sentence.
            for segment in segments_of(self.conversation.reply):
                self.client.deadline.require_time()
                longer = f"{text} {segment.joined}".strip()
                if is_cut := len(longer) > SPEECH_CHARACTERS:
                    text = sentences or text
                    break
                text, sentences = longer, sentences if segment.ends_amid else longer
            speech = speak(text) if text else None
            if is_cut:
                self.conversation.note(with_stage(errors.TextTruncated(), "tts"))
            return speech

    def next_piece(self, speech: Generator[bytes]) -> bytes:
        """What follows of a speech that has begun; raise CallerDisconnected if the caller left."""
        with self.while_connected():
            return next(speech, b"")
