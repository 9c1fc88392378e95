"""The chain as a stream: the reply is spoken while it is still being written."""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager

from parley.conversation.event_order import Backlog
from parley.conversation.reply_events import Event, TextDelta
from parley.conversation.spoken_reply import Speak, SpokenReply
from parley.conversation.stages import Stages
from parley.conversation.thoughts import ThoughtFilter
from parley.errors import UpstreamError, UpstreamMalformed
from parley.models.registry import Model
from parley.upstream.voices import Voice

LANES = {"speech": 3, "realtime": 1}
"""How many segments are spoken at once, by the interface of the model that speaks."""


class StreamedReply:
    """The reply to a transcript, made in greenlets and told as events."""

    def __init__(self, stages: Stages) -> None:
        """Go on where `stages` has the transcript."""
        self._stages, self._conversation = stages, stages.conversation
        self._stages.bound_each_wait()
        self._speech_began = 0.0
        self._told: list[str] = []
        self._making = SpokenReply(
            self._read, self._speaker, self._lanes, Backlog(stages.client.usage)
        )

    def events(self) -> Iterator[list[Event]]:
        """The next events, now and then none."""
        for events in self._making.events():
            for event in events:
                if isinstance(event, TextDelta):
                    self._stages.client.usage.add_text(event.delta)
                    self._told.append(event.delta)
            yield events

    def close(self) -> None:
        """End the greenlets and what they have open, and note the failure that there was.

        The conversation's reply is what was told of it.
        """
        self._making.close()
        self._conversation.reply = "".join(self._told)
        if self._making.failure:
            self._conversation.note(self._making.failure)

    def _read(self) -> Generator[str]:
        """The reply's deltas; thoughts, and the space around the reply, are left out."""
        transcript, client = self._conversation.transcript, self._stages.client
        with self._stages.stage("text"):
            deltas = self._stages.with_fallback(
                "text", lambda model: client.stream_reply(transcript, model)
            )
            is_blank = True
            with closing(deltas):
                for text in _stripped(_without_thoughts(deltas)):
                    is_blank = False
                    yield text
            if is_blank:
                raise UpstreamMalformed()

    @contextmanager
    def _speaker(self) -> Iterator[Speak]:
        """What speaks for one lane, in voices of its own: one is for one greenlet."""
        client, voices = self._stages.client, dict[str, Voice]()

        def call(text: str, model: Model) -> Generator[bytes]:
            if model.name not in voices:
                voices[model.name] = opened.enter_context(closing(client.voice(model)))
            return client.stream_speech(text, model, voices[model.name])

        def speak(text: str) -> Generator[bytes]:
            self._speech_began = self._speech_began or time.monotonic()
            try:
                with closing(
                    self._stages.with_fallback("tts", lambda model: call(text, model))
                ) as pieces:
                    yield from pieces
            finally:
                self._conversation.seconds["tts"] = time.monotonic() - self._speech_began

        with ExitStack() as opened:
            yield speak

    def _lanes(self) -> int:
        return LANES[self._conversation.models_used["tts"].interface]


def _without_thoughts(deltas: Iterable[str]) -> Iterator[str]:
    """The deltas without thoughts; before a failure comes all that was written."""
    thoughts, failure = ThoughtFilter(), None
    try:
        for delta in deltas:
            yield thoughts.feed(delta)
    except UpstreamError as error:
        failure = error
    yield thoughts.finish()
    if failure:
        raise failure


def _stripped(texts: Iterable[str]) -> Iterator[str]:
    """The texts without the space around all of them; none is blank. Linear in the texts."""
    blanks, has_begun = list[str](), False
    for text in texts:
        begun = text if has_begun else text.lstrip()
        if kept := begun.rstrip():
            has_begun = True
            yield "".join([*blanks, kept])
            blanks.clear()
        if has_begun:
            blanks.append(begun[len(kept) :])
