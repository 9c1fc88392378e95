"""What the simulated upstream answers, derived from what it is asked, so that callers can check it.

A recording says how much speech it wants. Its transcript repeats that, with a checksum of the
whole recording. The reply repeats the transcript, and the speech is the reply's bytes, repeated.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

FILLER = bytes(262_144)
WANTED = re.compile(rb"wants (\d+) bytes")


@dataclass(frozen=True)
class Recording:
    """A WAV file of `size` bytes, which no other number has; it wants `wanted` bytes of speech."""

    number: int
    size: int
    wanted: int

    def pieces(self) -> Iterator[bytes]:
        """The file, without holding the whole of it."""
        start = b"RIFF" + (self.size - 8).to_bytes(4, "little") + b"WAVEfmt "
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
    return f"You said this and no other thing: {text}"


def wanted(text: bytes) -> int:
    """How many bytes of speech a recording's head, or a text that was derived from it, asks for."""
    return int(WANTED.search(text)[1])


def speech(text: str) -> bytes:
    """The text as speech, of the size that it asks for: mp3 by its first bytes alone."""
    said = text.encode()
    size = wanted(said)
    return (b"ID3" + said * (size // len(said) + 1))[:size]
