"""A recording: how large it may be, and its kind, recognised by its first bytes alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from parley.mpeg_audio import LONGEST_FRAME, frame_at, has_two_frames_at

AUDIO_BYTES = 26_214_400  # The largest file that OpenAI's speech-to-text takes: 25 MB.
HEAD_BYTES = 64 * 1024  # How many of the first bytes `kind_of` looks at.
PADDING_BYTES = 8 * 1024  # The zeros or spaces before MPEG audio: recorders and editors leave some.
BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
"""The boxes with which a file of the MP4 family begins; older QuickTime has no `ftyp`."""
ID3 = re.compile(
    rb"ID3[\2-\4][^\xff][\0\x10 0@P`p\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0][\0-\x7f]{4}", re.DOTALL
)  # The header of ID3v2.2 to 2.4 (id3.org): version, flags, and a size of 4 times 7 bits.
APE = b"APETAGEX" + (2000).to_bytes(4, "little")
OTHERS = re.compile(
    rb"RIFF|RIFX|riff|FORM|OggS|fLaC|FLV|wvpk|MAC |MPCK|TTA1|caff|\.snd|MThd|\x30\x26\xb2\x75|#!"
    rb"|\x1a\x45\xdf\xa3|\x1f\x43\xb6\x75|\x00\x00\x01|\xff[\xf0\xf1\xf8\xf9]"
    rb"|\x89PNG|GIF8|BM|\xff\xd8\xff|%PDF|\xff\xfe|\xfe\xff|\xef\xbb\xbf"
    rb"|PK|\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ|\x7fELF|MZ"
    rb"|\x0b\x77|\x7f\xfe\x80\x01|MP\+|G.{187}G|<[!?h]|\{[\\\"]|HTTP/"
    rb"|.{4}(?:ftyp|moov|mdat|moof|styp|sidx|free|skip|wide)",
    re.DOTALL,
)
"""How other formats begin, which can hold frames of MPEG audio, or bytes that look like some."""
# RIFF, RIFX (big-endian), or a successor for long files (RFC 2361; EBU Tech 3306; ITU-R BS.2088).
WAV = re.compile(rb"(?:RIF[FX]|RF64|BW64).{4}WAVE", re.DOTALL)
WEBM = re.compile(rb"\x1a\x45\xdf\xa3")  # EBML's header (RFC 8794); a later piece has none.


@dataclass(frozen=True)
class Kind:
    """A kind of audio, with the file name and the MIME type by which the upstream recognises it."""

    file_name: str
    mime_type: str
    matches: Callable[[bytes], object] = field(repr=False)


@dataclass(frozen=True)
class Recording:
    """The caller's recording: a stream, its size in bytes and its kind."""

    stream: IO[bytes] = field(repr=False)
    size: int
    kind: Kind


def _is_mp4(head: bytes) -> bool:
    """A first box of a size that can be (ISO/IEC 14496-12, 4.2, and Apple's QuickTime)."""
    size, name = int.from_bytes(head[:4], "big"), head[4:8]
    if size == 0 or name not in BOXES:
        return (size, name) == (0, b"mdat")  # As far as the file goes.
    if size == 1:
        return len(head) >= 16 and 16 <= int.from_bytes(head[8:16], "big") <= AUDIO_BYTES
    return 8 <= size <= AUDIO_BYTES


def _is_program_stream(head: bytes) -> bool:
    """A pack of MPEG-1 (ISO/IEC 11172-1) or MPEG-2 (13818-1), which differ in the fifth byte."""
    is_pack = len(head) >= 12 and head[:4] == b"\x00\x00\x01\xba"
    return is_pack and (head[4] & 0xF1 == 0x21 or head[4] & 0xC4 == 0x44)


def _is_mpeg_audio(head: bytes) -> bool:
    """A tag (ID3v2, APEv2), or two frames, maybe behind a cut one, after padding; linear."""
    start = len(head) - len(head.lstrip(b"\0 "))
    if start > PADDING_BYTES:
        return False
    if ID3.match(head, start) or head.startswith(APE, start) or has_two_frames_at(head, start):
        return True
    if OTHERS.match(head) or OTHERS.match(head, start):
        return False
    at = head.find(b"\xff", start)
    while 0 <= at <= start + LONGEST_FRAME:
        frame = frame_at(head, at)
        if frame and at - start <= frame.longest and has_two_frames_at(head, at):
            return True
        at = head.find(b"\xff", at + 1)
    return False


# M4A rather than MP4 because the upstream refuses some AAC recordings under the latter name.
KINDS = (
    Kind("audio.wav", "audio/wav", WAV.match),
    Kind("audio.mp3", "audio/mpeg", _is_mpeg_audio),
    Kind("audio.m4a", "audio/mp4", _is_mp4),
    Kind("audio.webm", "audio/webm", WEBM.match),
    Kind("audio.mpeg", "video/mpeg", _is_program_stream),
)


def kind_of(head: bytes) -> Kind | None:
    """The kind of audio that begins with `head` (HEAD_BYTES or all), or None: AudioUnsupported."""
    return next((kind for kind in KINDS if kind.matches(head)), None)
