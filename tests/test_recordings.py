"""Bytes are told apart by what they are, whatever they are called."""

import pytest
from testing.recordings import FRAMES

from parley import recordings
from parley.mpeg_audio import LONGEST_FRAME, frame_at
from parley.recordings import HEAD_BYTES, kind_of


@pytest.mark.parametrize("begins", range(0, len(FRAMES) // 2, 31))
def test_a_recording_may_begin_amid_a_frame(begins):
    """As a piece of a longer one does; decoders look for the next frame."""
    assert kind_of(FRAMES[begins:])


@pytest.mark.parametrize(
    "header",
    [
        "fffb90",  # too short
        "ffeb9064",  # a reserved version
        "fff19064",  # a reserved layer, which is ADTS AAC
        "fffbf064",  # a reserved bit rate
        "fffb9c64",  # a reserved sampling rate
        "fe fb9064",  # no sync word
    ],
)
def test_a_header_with_reserved_values_is_no_frame(header):
    """ISO/IEC 11172-3, 2.4.2.3."""
    assert frame_at(bytes.fromhex(header)) is None


def test_a_frame_is_looked_for_in_the_first_bytes_only(monkeypatch):
    """Nobody else is served meanwhile."""
    looked = []
    monkeypatch.setattr(recordings, "frame_at", lambda head, at: looked.append(at))
    assert kind_of(b"x" + b"\xff" * HEAD_BYTES) is None
    assert 0 < len(looked) <= LONGEST_FRAME
