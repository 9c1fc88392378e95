"""PCM as mp3."""

import lameenc

from parley.deadline import Deadline

RATE = 24_000
BIT_RATE = 64
"""Samples a second, and thousands of bits a second of mp3: plenty for one voice."""

CHUNK_BYTES = 1_000_000


def mp3(pcm: bytes, deadline: Deadline) -> bytes:
    """16-bit mono little-endian samples at RATE, as mp3. Raises what the deadline does."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(1)
    encoder.set_bit_rate(BIT_RATE)
    encoder.set_quality(7)  # Half of LAME's time, and no ear can tell.
    speech = bytearray()
    for start in range(0, len(pcm), CHUNK_BYTES):
        deadline.left()  # Quarters of an hour would take seconds.
        speech += encoder.encode(pcm[start : start + CHUNK_BYTES])
    return bytes(speech + encoder.flush())
