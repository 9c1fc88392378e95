"""What a listener makes of speech: segments decoded and joined, and how far words differ."""

import io
import wave
from collections.abc import Iterable

import av
import jiwer

RATE = 24_000  # Hz
WORDS = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


def word_error_rate(said: str, heard: str) -> float:
    """The share of words that differ; case and punctuation do not count."""
    return jiwer.wer(said, heard, reference_transform=WORDS, hypothesis_transform=WORDS)


def decoded(segment: bytes, form: str) -> bytes:
    """One whole segment (`mp3`, `wav` or `pcm`) as 24 kHz 16-bit mono PCM."""
    if form == "pcm":
        return segment
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(io.BytesIO(segment)) as container:
        frames = [*container.decode(audio=0), None]
    return b"".join(
        bytes(part.planes[0])[: part.samples * 2]
        for frame in frames
        for part in resampler.resample(frame)
    )


def joined(segments: Iterable[bytes], form: str) -> bytes:
    """Segments, each a file of its own, decoded and joined to one WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        for segment in segments:
            writer.writeframes(decoded(segment, form))
    return file.getvalue()
