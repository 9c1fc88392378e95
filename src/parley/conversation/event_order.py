"""The events of a spoken reply, and those that are made but not told to the caller yet."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from io import StringIO
from typing import NamedTuple

from parley.conversation.segments import Segment
from parley.memory import Usage

# How much sound waits for a slow reader, how much while memory is scarce, and how much text.
WAITING_BYTES, SCARCE_BYTES, WAITING_CHARACTERS = 256 * 1024, 64 * 1024, 16 * 1024
SEGMENT_BYTES = 1024  # What a segment counts besides: many short ones are more than their sum.
# How long text, but for the first, waits for more or for sound: models write 500 deltas a second.
TEXT_SECONDS = 0.1
PIECE_BYTES = 48 * 1024  # The most sound in one event, which is a third longer in base64.


class SoundPiece(NamedTuple):
    """The next bytes of a segment's sound; the last piece may be empty."""

    number: int
    data: bytes
    last: bool


@dataclass(eq=False)
class SpokenSegment:
    """A segment that is spoken since `began` (monotonic); `sound` is what was not told of it."""

    number: int
    text: str
    speakable: str
    began: float = field(default_factory=time.monotonic)
    sound: bytearray = field(default_factory=bytearray)
    is_started: bool = False
    is_finished: bool = False
    has_failed: bool = False
    is_forgotten: bool = False  # Nobody will be told of its sound any more.


Event = str | SpokenSegment | SoundPiece
"""More of the reply's text; the segment that is heard from then on; a piece of its sound."""


class Backlog:
    """Text and sound that wait to be told to the caller, and the text that was told."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._text = StringIO()  # A list of many short deltas takes many times their size.
        self._bytes = self._count = 0  # Of segments and sound that wait; of all segments so far.
        self._text_due = 0.0  # On the monotonic clock.
        self.told: list[str] = []
        self._segments: deque[SpokenSegment] = deque()

    def __bool__(self) -> bool:
        return bool(self._text.tell() or self._segments)

    def clear(self) -> None:
        """Forget all of it: nobody will be told."""
        self._text = StringIO()
        self._forget_sound()

    def add_text(self, delta: str) -> bool:
        """Append text that was written; return whether no text waited before."""
        was_empty = not self._text.tell()
        self._text.write(delta)
        return was_empty

    def add_segment(self, segment: Segment) -> SpokenSegment:
        """Append a segment; its sound is told after that of the others."""
        spoken = SpokenSegment(self._count, segment.text, segment.speakable)
        self._count += 1
        self._segments.append(spoken)
        self._count_bytes(SEGMENT_BYTES + len(segment.text))
        return spoken

    def add_sound(self, segment: SpokenSegment, piece: bytes) -> None:
        """Append to a segment's sound."""
        segment.sound += piece
        self._count_bytes(len(piece))

    def is_next(self, segment: SpokenSegment) -> bool:
        """Whether this is the segment whose sound is told now."""
        return bool(self._segments) and segment is self._segments[0]

    def has_room_for_text(self) -> bool:
        """Whether more text may wait."""
        return self._text.tell() < WAITING_CHARACTERS

    def has_room_for(self, segment: SpokenSegment) -> bool:
        """Whether the segment's next piece may wait; one whose turn it is may always bring one."""
        limit = WAITING_BYTES if self._usage.budget.has_room_for_speech else SCARCE_BYTES
        is_awaited = self.is_next(segment) and not segment.sound
        return self._bytes < limit or segment.is_forgotten or is_awaited

    def text_due(self) -> float:
        """When the text that waits is to be told (monotonic); never where none waits."""
        return self._text_due if self._text.tell() else math.inf

    def take(self, *, all_text: bool) -> list[Event]:
        """The next sound, and before it the text, which comes alone if it is due or `all_text`."""
        now, sound = time.monotonic(), self._take_sound()
        if not self._text.tell() or not (sound or all_text or self._text_due <= now):
            return sound
        delta, self._text = self._text.getvalue(), StringIO()
        self._text_due = now + TEXT_SECONDS
        self._usage.add_text(delta)
        self.told.append(delta)
        return [delta, *sound]

    def _count_bytes(self, size: int) -> None:
        self._bytes += size
        self._usage.add(size)

    def _forget_sound(self) -> None:
        for segment in self._segments:
            segment.is_forgotten = True
        self._segments.clear()
        self._count_bytes(-self._bytes)

    def _take_sound(self) -> list[Event]:
        """Take a piece of the first segment's sound; behind a gap all sound is forgotten."""
        first = self._segments[0] if self._segments else None
        if not first or not (first.sound or first.is_finished):
            return []
        if first.has_failed and not first.sound:
            self._forget_sound()
            return []
        begun: list[Event] = [] if first.is_started else [first]
        first.is_started = True
        data = bytes(first.sound[:PIECE_BYTES])
        del first.sound[:PIECE_BYTES]
        self._count_bytes(-len(data))
        is_last = first.is_finished and not first.has_failed and not first.sound
        if is_last:
            self._segments.popleft()
            self._count_bytes(-SEGMENT_BYTES - len(first.text))
            if not first.speakable:
                return begun
        return [*begun, SoundPiece(first.number, data, is_last)]
