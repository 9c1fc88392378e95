"""The voices that speak a text: over /audio/speech, or over the Realtime API."""

from collections.abc import Generator
from contextlib import ExitStack, closing
from itertools import chain
from urllib.parse import quote

from parley import log
from parley.errors import UpstreamMalformed
from parley.models.registry import Model
from parley.upstream.calls import CallRecord, Calls
from parley.upstream.encodings import encoder_for
from parley.upstream.failures import origin, require_success
from parley.upstream.mp3_encoder import SAMPLE_BYTES
from parley.upstream.options import Options
from parley.upstream.realtime import EVENT_BYTES, ReadingSession, is_read_word_for_word
from parley.upstream.sent_speech import checked
from parley.wire.messages import Answer

SPEECH_CHARACTERS = 4096
"""The longest `input` that /audio/speech takes (OpenAI's API reference)."""

SPEECH_BYTES = 16_000_000
"""The largest speech that is taken, counted after decompression."""


class SpeechVoice:
    """Speaks each text in a call of its own; several may be under way at once."""

    def __init__(self, calls: Calls, model: Model, options: Options) -> None:
        """Speak with the model's voice and format that `options` ask for."""
        self._calls, self._model, self._options = calls, model, options

    def speak(self, text: str, record: CallRecord) -> Generator[bytes]:
        """The speech's file, piece by piece as it arrives. Raises UpstreamError."""
        body = {
            "model": self._model.name,
            "input": text,
            "voice": self._model.voice_for(self._options.voice),
            "response_format": self._options.audio_format,
            **self._model.parameters,
        }
        audio_format, size = self._options.audio_format, 0
        failure_in = self._calls.failure_in(self._model)
        with closing(
            self._calls.pieces(record, "/audio/speech", body, SPEECH_BYTES, self._model)
        ) as pieces:
            first = next(pieces, b"")  # The answer's headers are there.
            speech = checked(chain((first,), pieces), audio_format, record.headers, failure_in)
            for piece in speech:
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

    def __init__(self, calls: Calls, model: Model, options: Options) -> None:
        """Open the WebSocket for the first text."""
        self._calls, self._model, self._options = calls, model, options
        self._open = ExitStack()
        self._session: ReadingSession | None = None

    def speak(self, text: str, record: CallRecord) -> Generator[bytes]:
        """The speech's file, piece by piece as it arrives. Raises UpstreamError."""
        try:
            session = self._session or self._connect(record)
            encoder = encoder_for(self._options.audio_format, self._calls.deadline)
            voice = self._model.voice_for(self._options.voice)
            for pcm in session.read_aloud(text, voice, self._model.parameters):
                if piece := encoder.feed(pcm):  # At once, since PCM is six times as large as mp3.
                    yield piece
            if piece := encoder.finish():
                yield piece
        except BaseException:
            self.close()  # Nobody knows what would still arrive for this text.
            raise
        if not is_read_word_for_word(text, session.transcript):
            name = self._model.name  # A caller may have chosen it.
            log.reworded("" if self._calls.upstream.shows_key(name) else name)

    def close(self) -> None:
        """Close the WebSocket; the next text opens another."""
        self._session = None
        self._open.close()

    def _connect(self, record: CallRecord) -> ReadingSession:
        path = f"/realtime?model={quote(self._model.name, safe='')}"
        calls = self._calls
        channel = self._open.enter_context(
            calls.transport.connect(
                calls.upstream, path, limit=EVENT_BYTES, deadline=calls.deadline
            )
        )
        if isinstance(channel, Answer):
            record.upstream_id = channel.request_id or ""
            require_success(channel, calls.upstream, self._model.name)
            raise UpstreamMalformed(**origin(channel))
        self._session = ReadingSession(channel, calls.failure_in(self._model, is_event=True))
        return self._session


Voice = SpeechVoice | RealtimeVoice


def voice_of(calls: Calls, model: Model, options: Options) -> Voice:
    """The voice that the model's interface asks for."""
    return (RealtimeVoice if model.interface == "realtime" else SpeechVoice)(calls, model, options)
