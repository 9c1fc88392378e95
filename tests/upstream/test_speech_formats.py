"""PCM becomes files that say what they hold."""

import io
import struct
import wave

import pytest

from parley.memory import Usage
from parley.upstream.speech_formats import CHUNKS, WAV_HEADER, set_lengths

SAMPLES = bytes(range(256)) * 10
HEAD = WAV_HEADER
LIST = struct.pack("<4sI", b"LIST", 5) + b"INFO!" + b"\0"


def with_lengths(wav: bytes) -> bytes:
    spool = Usage().spool()
    spool.write(wav)
    set_lengths(spool)
    spool.seek(0)
    return spool.read()


@pytest.mark.parametrize(
    "other",
    [b"", LIST, struct.pack("<4sI", b"JUNK", 100_000) + bytes(100_000)],
    ids=["header alone", "another chunk", "a long chunk"],
)
def test_a_whole_wav_says_how_long_it_is(other):
    """Whatever stands between its format and its samples (RIFF: chunks are padded to be even)."""
    streamed = HEAD[:36] + other + HEAD[36:] + SAMPLES
    whole = with_lengths(streamed)
    assert whole[:4] + whole[8:36] == streamed[:4] + streamed[8:36]
    with wave.open(io.BytesIO(whole)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.readframes(file.getnframes()) == SAMPLES
    assert struct.unpack("<I", whole[4:8])[0] == len(whole) - 8
    assert with_lengths(whole) == whole


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ID3",
        HEAD[:40],
        HEAD[:20] + b"\xff" * 100,
        b"RIFF" * 9,
        HEAD[:12] + bytes(8) * CHUNKS + HEAD[12:] + SAMPLES,
    ],
)
def test_what_is_no_wav_stays_as_it_is(data):
    assert with_lengths(data) == data
