"""PCM to the formats that callers ask for, piece by piece."""

import struct
from typing import Protocol

from parley.deadline import Deadline
from parley.errors import UpstreamMalformed
from parley.memory import Spool
from parley.upstream.mp3_encoder import RATE, SAMPLE_BYTES, Mp3Encoder

STREAMED = 0xFFFFFFFF
"""A WAV's length where nobody knows it yet, as OpenAI writes it."""

WAV_HEADER = struct.pack(
    "<4sI4s4sIHHIIHH4sI",
    *(b"RIFF", STREAMED, b"WAVE"),
    *(b"fmt ", 16, 1, 1, RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES, 16),
    *(b"data", STREAMED),
)
"""What comes before the samples (RFC 2361)."""

CHUNKS = 100
"""How many chunks of a WAV are looked at; those who write WAVs put a handful before the samples."""


class Encoder(Protocol):
    """Turns samples at RATE, 16 bit, mono, little-endian, into a file."""

    def feed(self, pcm: bytes) -> bytes:
        """What is ready of the file after these samples."""

    def finish(self) -> bytes:
        """The rest; raise UpstreamMalformed if there were no samples, or a half one."""


class PcmEncoder:
    """Passes samples on as they are."""

    def __init__(self) -> None:
        """Begin with none."""
        self._size = 0

    def feed(self, pcm: bytes) -> bytes:
        """The samples."""
        self._size += len(pcm)
        return pcm

    def finish(self) -> bytes:
        """Nothing is left."""
        if not self._size or self._size % SAMPLE_BYTES:
            raise UpstreamMalformed()
        return b""


class WavEncoder(PcmEncoder):
    """Puts a WAV's header before the samples."""

    def feed(self, pcm: bytes) -> bytes:
        """The samples, and WAV_HEADER before the first."""
        header = b"" if self._size or not pcm else WAV_HEADER
        return header + super().feed(pcm)


def set_lengths(wav: Spool) -> None:
    """Have the header of a whole WAV say how long it is, if it was streamed without its lengths.

    Those who stream write 0xFFFFFFFF there, or 0, or another length that is too large. A file in
    which the samples are not among the first CHUNKS chunks stays as it is, as one that is no WAV.
    """
    start, name, size = 12, b"", 0
    for _ in range(CHUNKS):
        wav.seek(start)
        head = wav.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        start += 8
        if name == b"data":
            break
        start += size + size % 2  # Chunks have even lengths.
    left = wav.size - start
    if name != b"data" or 0 < size <= left:
        return
    for position, length in ((4, wav.size - 8), (start - 4, left)):
        wav.seek(position)
        wav.write(struct.pack("<I", length))


def encoder_for(audio_format: str, deadline: Deadline) -> Encoder:
    """The encoder of one of the AUDIO_FORMATS."""
    if audio_format == "mp3":
        return Mp3Encoder(deadline)
    return WavEncoder() if audio_format == "wav" else PcmEncoder()
