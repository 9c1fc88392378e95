"""A recording, and its kind of audio, recognised by its first bytes alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

HEAD_BYTES = 12
"""How many of the first bytes `kind_of` looks at."""


@dataclass(frozen=True)
class Kind:
    """A kind of audio, with the file name and the MIME type by which the upstream recognises it."""

    file_name: str
    mime_type: str
    matches: Callable[[bytes], bool] = field(repr=False)


@dataclass(frozen=True)
class Recording:
    """The caller's recording: a stream, its size in bytes and its kind."""

    stream: IO[bytes] = field(repr=False)
    size: int
    kind: Kind

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes more; let other greenlets run, as gevent does not for files."""
        time.sleep(0)
        return self.stream.read(size)


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame begins here (ISO/IEC 11172-3, 2.4.1.3).

    Eleven sync bits, then fields in which some values are reserved. Layer 0 is reserved, and is
    what ADTS AAC, which has the same sync bits, contains there.
    """
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 0b11, head[1] >> 1 & 0b11
    bitrate, sampling_rate = head[2] >> 4, head[2] >> 2 & 0b11
    return version != 0b01 and layer != 0 and bitrate != 0b1111 and sampling_rate != 0b11


# Sources: RFC 2361 (WAV), id3.org's ID3v2 (MP3), ISO/IEC 14496-12 (MP4), RFC 8794 (EBML).
# M4A rather than MP4 because the upstream refuses some AAC recordings under the latter name.
KINDS = (
    Kind("audio.wav", "audio/wav", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE"),
    Kind("audio.mp3", "audio/mpeg", lambda head: head[:3] == b"ID3" or _is_mpeg_frame(head)),
    Kind("audio.m4a", "audio/mp4", lambda head: head[4:8] == b"ftyp"),
    Kind("audio.webm", "audio/webm", lambda head: head[:4] == b"\x1a\x45\xdf\xa3"),
)


def kind_of(head: bytes) -> Kind | None:
    """The kind of audio that begins with `head` (HEAD_BYTES or more), or None."""
    return next((kind for kind in KINDS if kind.matches(head)), None)
