"""What the simulated upstream answers, derived from what it is asked, so that callers can check it.

A recording says how much speech it wants. Its transcript repeats that, with a checksum of the
whole recording. The reply repeats the transcript, and the speech is the reply's bytes, repeated.
A recording that wants no bytes gets a long reply, and speech as long as people take to say it.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import spoken_dialogue

FILLER = bytes(262_144)
WANTED = re.compile(rb"wants (\d+) bytes")
HEADER_BYTES = 44


@dataclass(frozen=True)
class Recording:
    """A WAV file of `size` bytes, which no other number has; it wants `wanted` bytes of speech."""

    number: int
    size: int
    wanted: int

    def pieces(self) -> Iterator[bytes]:
        """The file (24 kHz, 16 bit, mono), without holding the whole of it."""
        start = struct.pack(
            "<4sI8sIHHIIHH4sI",
            *(b"RIFF", self.size - 8, b"WAVEfmt ", 16, 1, 1, 24_000, 48_000, 2, 16),
            *(b"data", self.size - HEADER_BYTES),
        )
        start += b"%d wants %d bytes " % (self.number, self.wanted)
        yield start
        for left in range(self.size - len(start), 0, -len(FILLER)):
            yield FILLER[:left]

    @property
    def transcript(self) -> str:
        """What the upstream hears in it."""
        checksum = 0
        for piece in self.pieces():
            checksum = zlib.crc32(piece, checksum)
        return transcript(checksum, self.wanted)


def transcript(checksum: int, wanted: int) -> str:
    """The transcript of the recording that has this CRC-32."""
    return f"Recording {checksum} wants {wanted} bytes of speech."


def reply(text: str) -> str:
    """The chat model's reply to a transcript."""
    if not wanted(text.encode()):
        return spoken_dialogue.reply(text)
    return f"You said this and no other thing: {text}"


def wanted(text: bytes) -> int:
    """How many bytes of speech a recording's head, or a text that was derived from it, asks for.

    Parts of a long reply ask for none.
    """
    found = WANTED.search(text)
    return int(found[1]) if found else 0


def speech(text: str, audio_format: str = "mp3") -> bytes:
    """The text as speech, of the size that it asks for."""
    said = text.encode()
    size = wanted(said)
    if not size:
        return spoken_dialogue.speech(text, audio_format)
    return (b"ID3" + said * (size // len(said) + 1))[:size]
