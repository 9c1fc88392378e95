"""The chain as a stream: the reply is spoken while it is still being written."""

import time
from collections.abc import Iterator
from contextlib import suppress

from parley.conversation.spoken_reply import SpokenReply
from parley.conversation.stages import Stages
from parley.conversation.thoughts import ThoughtFilter
from parley.errors import ConversationError, TextIncomplete, UpstreamMalformed
from parley.models.registry import Model
from parley.upstream.voices import Voice

LANES = {"speech": 3, "realtime": 1}
"""How many segments are spoken at once, by the interface of the model that speaks."""


class StreamedReply:
    """The reply to a transcript, made in threads and told as events."""

    def __init__(self, stages: Stages) -> None:
        """Go on where `stages` has the transcript."""
        self._stages = stages
        self._conversation = stages.conversation
        self._voices: dict[str, Voice] = {}
        self._speech_began = 0.0
        self.spoken = SpokenReply(self._read, self._speak, self._lanes)

    @property
    def voice(self) -> str:
        """The name of the voice that speaks."""
        return self._conversation.models_used["tts"].voice_for(self._stages.client.options.voice)

    def close(self) -> None:
        """End the threads, and what they have open."""
        self.spoken.close()
        self._stages.end()
        if self.spoken.failure:
            self._conversation.note(self.spoken.failure)
        for voice in self._voices.values():
            with suppress(ConversationError):
                voice.close()

    def _read(self) -> Iterator[str]:
        """The reply's deltas; thoughts, and the space around the reply, are left out."""
        conversation, client = self._conversation, self._stages.client
        thoughts, space = ThoughtFilter(), ""
        unfinished: TextIncomplete | None = None
        with self._stages.stage("text"):
            deltas = self._stages.with_fallback(
                "text", lambda model: client.stream_reply(conversation.transcript, model)
            )
            while True:
                try:
                    delta = next(deltas, None)
                except TextIncomplete as failure:
                    delta, unfinished = None, failure
                text = space + (thoughts.finish() if delta is None else thoughts.feed(delta))
                text = text if conversation.reply else text.lstrip()
                kept = text.rstrip()
                space = text[len(kept) :]
                if kept:
                    conversation.reply += kept
                    yield kept
                if delta is None:
                    break
            if not conversation.reply:
                raise UpstreamMalformed()
            if unfinished:
                raise unfinished

    def _speak(self, text: str) -> Iterator[bytes]:
        self._speech_began = self._speech_began or time.monotonic()
        try:
            yield from self._stages.with_fallback(
                "tts", lambda model: self._stages.client.stream_speech(text, self._voice_of(model))
            )
        finally:
            self._conversation.seconds["tts"] = time.monotonic() - self._speech_began

    def _voice_of(self, model: Model) -> Voice:
        if model.name not in self._voices:
            self._voices[model.name] = self._stages.client.voice(model)
        return self._voices[model.name]

    def _lanes(self) -> int:
        return LANES[self._conversation.models_used["tts"].interface]
