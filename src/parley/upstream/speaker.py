"""What speaks a text: over /audio/speech, or over the Realtime API."""

from collections.abc import Generator
from contextlib import ExitStack
from urllib.parse import quote

from parley import log
from parley.errors import UpstreamMalformed
from parley.upstream.calls import Call
from parley.upstream.encodings import SAMPLE_BYTES, encoded
from parley.upstream.options import Options
from parley.upstream.realtime import EVENT_BYTES, ReadingSession, is_read_word_for_word
from parley.upstream.sent_speech import checked

SPEECH_CHARACTERS = 4096
"""The longest `input` that /audio/speech takes (OpenAI's API reference)."""

SPEECH_BYTES = 16_000_000
"""The largest speech that is taken, counted after decompression."""


class Speaker:
    """Speaks one text after another, for one greenlet; close it after the last one."""

    def __init__(self, options: Options) -> None:
        """Speak in the voice and the format that `options` ask for."""
        self._options, self._open = options, ExitStack()
        self._session: ReadingSession | None = None

    def speak(self, text: str, call: Call) -> Generator[bytes]:
        """The speech's file, piece by piece as it arrives, of the call's model.

        Raises UpstreamError.
        """
        voice = call.model.voice_for(self._options.voice)
        speak = self._read_aloud if call.model.interface == "realtime" else self._ask_for_file
        return speak(text, voice, call)

    def close(self) -> None:
        """Close the WebSocket, if one is open; the next text opens another."""
        self._session = None
        self._open.close()

    def _ask_for_file(self, text: str, voice: str, call: Call) -> Generator[bytes]:
        audio_format, size = self._options.audio_format, 0
        body = {
            "model": call.model.name,
            "input": text,
            "voice": voice,
            "response_format": audio_format,
            **call.model.parameters,
        }
        with call.post("/audio/speech", body, SPEECH_BYTES) as answer:
            for piece in checked(answer.pieces(), audio_format, answer.headers, call.failure_in):
                size += len(piece)
                yield piece
            if audio_format == "pcm" and size % SAMPLE_BYTES:
                raise UpstreamMalformed()  # Whatever is joined to half a sample becomes noise.

    def _read_aloud(self, text: str, voice: str, call: Call) -> Generator[bytes]:
        """The Realtime API sends PCM, which is encoded here, and may change a text's words.

        All texts are read over one WebSocket.
        """
        name = call.model.name
        try:
            if not self._session:
                path = f"/realtime?model={quote(name, safe='')}"
                channel = self._open.enter_context(call.connect(path, EVENT_BYTES))
                self._session = ReadingSession(channel, call.failure_in_event)
            pcm = self._session.read_aloud(text, voice, call.model.parameters)
            # At once, since PCM is six times as large as mp3.
            yield from encoded(pcm, self._options.audio_format, call.deadline)
        except BaseException:
            self.close()  # Nobody knows what would still arrive for this text.
            raise
        if not is_read_word_for_word(text, self._session.transcript):
            log.reworded("" if call.upstream.shows_key(name) else name)  # A caller may choose it.
