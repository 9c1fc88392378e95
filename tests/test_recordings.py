"""Bytes are told apart by what they are, whatever they are called."""

import pytest

from parley.recordings import kind_of

MP3_FRAME = bytes.fromhex("fffb9064")


@pytest.mark.parametrize(
    ("head", "file_name"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio.wav"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00\x00\x00", "audio.mp3"),
        (MP3_FRAME + bytes(8), "audio.mp3"),
        (bytes.fromhex("fff3 8864") + bytes(8), "audio.mp3"),  # MPEG-2, as 24 kHz speech is
        (bytes.fromhex("ffe3 1864") + bytes(8), "audio.mp3"),  # MPEG-2.5
        (bytes.fromhex("fffd 9064") + bytes(8), "audio.mp3"),  # layer II: mpga
        (b"\x00\x00\x00\x20ftypisom", "audio.m4a"),
        (b"\x00\x00\x00\x1cftypM4A ", "audio.m4a"),
        (b"\x00\x00\x00\x1cftypdash", "audio.m4a"),
        (b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f", "audio.webm"),
    ],
)
def test_a_supported_kind_is_recognised(head, file_name):
    """The name that the upstream is sent comes from the bytes."""
    kind = kind_of(head)
    assert kind
    assert kind.file_name == file_name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"OggS\x00\x02",
        b"fLaC\x00\x00\x00\x22",
        b"\x89PNG\r\n\x1a\n",
        bytes.fromhex("fff1 5080"),  # ADTS AAC, MPEG-4
        bytes.fromhex("fff9 5080"),  # ADTS AAC, MPEG-2
        bytes.fromhex("ffeb 9064"),  # a reserved version
        bytes.fromhex("fffb f064"),  # a reserved bitrate
        bytes.fromhex("fffb 9c64"),  # a reserved sampling rate
        b"\xff\xfb",
        b"<html>",
        b"ftypisom",
    ],
)
def test_anything_else_is_of_no_kind(head):
    """Ogg, FLAC, ADTS AAC, pictures and text are not guessed at."""
    assert kind_of(head.ljust(4, b"\0") if len(head) > 3 else head) is None
