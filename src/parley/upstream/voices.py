"""The voices that speak a text: over /audio/speech, or over the Realtime API."""

from collections.abc import Generator
from contextlib import ExitStack
from urllib.parse import quote

from parley import log
from parley.errors import UpstreamMalformed
from parley.models.registry import Model
from parley.upstream.calls import Call
from parley.upstream.encodings import SAMPLE_BYTES, encoded
from parley.upstream.options import Options
from parley.upstream.realtime import EVENT_BYTES, ReadingSession, is_read_word_for_word
from parley.upstream.sent_speech import checked

SPEECH_CHARACTERS = 4096
"""The longest `input` that /audio/speech takes (OpenAI's API reference)."""

SPEECH_BYTES = 16_000_000
"""The largest speech that is taken, counted after decompression."""


class SpeechVoice:
    """Speaks each text in a call of its own; several may be under way at once."""

    def __init__(self, model: Model, options: Options) -> None:
        """Speak with the model's voice and format that `options` ask for."""
        self.model, self._options = model, options

    def speak(self, text: str, call: Call) -> Generator[bytes]:
        """The speech's file, piece by piece as it arrives. Raises UpstreamError."""
        audio_format, size = self._options.audio_format, 0
        body = {
            "model": self.model.name,
            "input": text,
            "voice": self.model.voice_for(self._options.voice),
            "response_format": audio_format,
            **self.model.parameters,
        }
        with call.post("/audio/speech", body, SPEECH_BYTES) as answer:
            for piece in checked(answer.pieces(), audio_format, answer.headers, call.failure_in):
                size += len(piece)
                yield piece
            if audio_format == "pcm" and size % SAMPLE_BYTES:
                raise UpstreamMalformed()  # Whatever is joined to half a sample becomes noise.

    def close(self) -> None:
        """Nothing is open between two texts."""


class RealtimeVoice:
    """Speaks one text after another over one WebSocket; for one greenlet at a time.

    The Realtime API sends PCM, which is encoded here, and may change a text's words.
    """

    def __init__(self, model: Model, options: Options) -> None:
        """Open the WebSocket for the first text."""
        self.model, self._options = model, options
        self._open = ExitStack()
        self._session: ReadingSession | None = None

    def speak(self, text: str, call: Call) -> Generator[bytes]:
        """The speech's file, piece by piece as it arrives. Raises UpstreamError."""
        voice = self.model.voice_for(self._options.voice)
        try:
            session = self._session = self._session or self._connect(call)
            pcm = session.read_aloud(text, voice, self.model.parameters)
            # At once, since PCM is six times as large as mp3.
            yield from encoded(pcm, self._options.audio_format, call.deadline)
        except BaseException:
            self.close()  # Nobody knows what would still arrive for this text.
            raise
        if not is_read_word_for_word(text, session.transcript):
            name = self.model.name  # A caller may have chosen it.
            log.reworded("" if call.upstream.shows_key(name) else name)

    def close(self) -> None:
        """Close the WebSocket; the next text opens another."""
        self._session = None
        self._open.close()

    def _connect(self, call: Call) -> ReadingSession:
        path = f"/realtime?model={quote(self.model.name, safe='')}"
        channel = self._open.enter_context(call.connect(path, EVENT_BYTES))
        return ReadingSession(channel, call.failure_in_event)


Voice = SpeechVoice | RealtimeVoice


def voice_of(model: Model, options: Options) -> Voice:
    """The voice that the model's interface asks for."""
    return (RealtimeVoice if model.interface == "realtime" else SpeechVoice)(model, options)
