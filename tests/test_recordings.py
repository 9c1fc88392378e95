"""Bytes are told apart by what they are, whatever they are called."""

from parley import recordings
from parley.mpeg_audio import LONGEST_FRAME
from parley.recordings import HEAD_BYTES, kind_of


def test_a_frame_is_looked_for_in_the_first_bytes_only(monkeypatch):
    """Nobody else is served meanwhile."""
    looked = []
    monkeypatch.setattr(recordings, "frame_at", lambda head, at: looked.append(at))
    assert kind_of(b"x" + b"\xff" * HEAD_BYTES) is None
    assert 0 < len(looked) <= LONGEST_FRAME
