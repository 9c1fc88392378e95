"""The chain as a stream: the reply is spoken while it is still being written."""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager

from parley.conversation.spoken_reply import Speak, SpokenReply
from parley.conversation.stages import Stages
from parley.conversation.thoughts import ThoughtFilter
from parley.errors import UpstreamError, UpstreamMalformed
from parley.upstream.voices import Voice

LANES = {"speech": 3, "realtime": 1}
"""How many segments are spoken at once, by the interface of the model that speaks."""


class StreamedReply:
    """The reply to a transcript, made in greenlets and told as events."""

    def __init__(self, stages: Stages) -> None:
        """Go on where `stages` has the transcript."""
        self._stages, self._conversation = stages, stages.conversation
        stages.bound_each_wait()
        self._speech_began = 0.0
        self._making = SpokenReply(self._read, self._speaker, self._lanes, stages.client.usage)
        self.events = self._making.events

    def close(self) -> None:
        """End the greenlets and what they have open, and note the failure that there was.

        The conversation's reply is what was told of it.
        """
        self._making.close()
        self._conversation.reply = self._making.told
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
        """What speaks for one lane, in a voice of its own."""
        with closing(self._stages.client.voice()) as voice:
            yield lambda text: self._speak(text, voice)

    def _speak(self, text: str, voice: Voice) -> Generator[bytes]:
        client = self._stages.client
        self._speech_began = self._speech_began or time.monotonic()
        try:
            with closing(
                self._stages.with_fallback(
                    "tts", lambda model: client.stream_speech(text, model, voice)
                )
            ) as pieces:
                yield from pieces
        finally:
            self._conversation.seconds["tts"] = time.monotonic() - self._speech_began

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
