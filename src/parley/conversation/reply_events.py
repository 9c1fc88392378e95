"""What a spoken reply tells while it is made.

`event_order.py` says in which order they are told.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextDelta:
    """The reply goes on."""

    delta: str


@dataclass(frozen=True)
class SegmentStarted:
    """The sound that follows is of this part of the reply, asked for at `began` (monotonic)."""

    segment: int
    text: str
    began: float


@dataclass(frozen=True)
class SoundPiece:
    """The next bytes of a segment's sound; the last piece may be empty."""

    segment: int
    data: bytes
    last: bool


Event = TextDelta | SegmentStarted | SoundPiece
