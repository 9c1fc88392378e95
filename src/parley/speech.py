"""PCM as files that a caller can play."""

import io
import wave

import lameenc

RATE = 24_000
BIT_RATE = 64
"""Samples a second, and thousands of bits a second of mp3: plenty for one voice."""


def mp3(pcm: bytes) -> bytes:
    """16-bit mono little-endian samples at RATE, as mp3."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(1)
    encoder.set_bit_rate(BIT_RATE)
    encoder.set_quality(7)  # Half of LAME's time, and no ear can tell.
    return bytes(encoder.encode(pcm) + encoder.flush())


def wav(pcm: bytes) -> bytes:
    """The same samples as WAV, whose header tells their true length."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(pcm)
    return file.getvalue()
