"""The chain as a stream: the reply is spoken while it is still being written."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager

from parley.conversation.backlog import Backlog
from parley.conversation.reply_events import Event, TextDelta
from parley.conversation.spoken_reply import Speak, SpokenReply
from parley.conversation.stages import Stages
from parley.conversation.thoughts import ThoughtFilter
from parley.errors import TextIncomplete, UpstreamMalformed
from parley.models.registry import Model
from parley.upstream.client import TEXT_BYTES
from parley.upstream.voices import Voice

LANES = {"speech": 3, "realtime": 1}
"""How many segments are spoken at once, by the interface of the model that speaks."""


class StreamedReply:
    """The reply to a transcript, made in greenlets and told as events."""

    def __init__(self, stages: Stages) -> None:
        """Go on where `stages` has the transcript."""
        self._stages = stages
        self._stages.go_on()
        self._conversation = stages.conversation
        self._speech_began = 0.0
        self._spoken = SpokenReply(
            self._read, self._speaker, self._lanes, Backlog(stages.client.usage)
        )

    @property
    def voice(self) -> str:
        """The name of the voice that speaks."""
        return self._conversation.models_used["tts"].voice_for(self._stages.client.options.voice)

    def events(self) -> Generator[list[Event]]:
        """The next events, now and then none; the conversation's reply is what was told of it."""
        told: list[str] = []
        try:
            for events in self._spoken.events():
                deltas = [event.delta for event in events if isinstance(event, TextDelta)]
                for delta in deltas:
                    self._stages.client.usage.add_text(delta)
                told += deltas
                yield events
        finally:
            self._conversation.reply = "".join(told)

    def close(self) -> None:
        """End the greenlets and what they have open, and note the failure that there was."""
        self._spoken.close()
        if self._spoken.failure:
            self._conversation.note(self._spoken.failure)

    def _read(self) -> Generator[str]:
        """The reply's deltas; thoughts, and the space around the reply, are left out."""
        transcript, client = self._conversation.transcript, self._stages.client
        thoughts, blanks, size = ThoughtFilter(), [""], 0
        unfinished: TextIncomplete | None = None
        with self._stages.stage("text"):
            deltas = self._stages.with_fallback(
                "text", lambda model: client.stream_reply(transcript, model)
            )
            with closing(deltas):
                while True:
                    try:
                        delta = next(deltas, None)
                    except TextIncomplete as failure:
                        delta, unfinished = None, failure
                    text = thoughts.finish() if delta is None else thoughts.feed(delta)
                    text = text if size else text.lstrip()
                    size += len(text)
                    if kept := text.rstrip():
                        yield "".join([*blanks, kept])
                        blanks.clear()
                    blanks.append(text[len(kept) :])
                    if size > TEXT_BYTES:
                        raise UpstreamMalformed()
                    if delta is None:
                        break
            if unfinished:
                raise unfinished
            if not size:
                raise UpstreamMalformed()

    @contextmanager
    def _speaker(self) -> Iterator[Speak]:
        """What speaks for one lane; a voice, which is for one greenlet, is its own."""
        with ExitStack() as opened:
            voices: dict[str, Voice] = {}

            def voice_of(model: Model) -> Voice:
                if model.name not in voices:
                    voice = self._stages.client.voice(model)
                    voices[model.name] = opened.enter_context(closing(voice))
                return voices[model.name]

            yield lambda text: self._speak(text, voice_of)

    def _speak(self, text: str, voice_of: Callable[[Model], Voice]) -> Generator[bytes]:
        self._speech_began = self._speech_began or time.monotonic()
        try:
            pieces = self._stages.with_fallback(
                "tts", lambda model: self._stages.client.stream_speech(text, voice_of(model))
            )
            with closing(pieces):
                yield from pieces
        finally:
            self._conversation.seconds["tts"] = time.monotonic() - self._speech_began

    def _lanes(self) -> int:
        return LANES[self._conversation.models_used["tts"].interface]
