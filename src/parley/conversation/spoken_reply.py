"""A reply, told while it is made: its text and its sound side by side, each in order.

One thread reads the reply and cuts it into segments, others speak them, and whoever iterates over
`events` gets all of it in turn. What they share stands under one lock.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from threading import Condition, Thread

from parley import log
from parley.conversation.segments import Segmenter, Waiting
from parley.errors import ConversationError, InternalError, RequestError

TICK_SECONDS = 0.5
"""How long `events` waits before it says that nothing has happened."""

WAITING_BYTES = 256 * 1024
WAITING_CHARACTERS = 16 * 1024
"""How much sound, and how much text, waits for a slow reader."""

END_SECONDS = 1
"""How long `close` waits for the threads to end; they look twice a second."""


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
Read = Callable[[], Generator[str]]
Speak = Callable[[str], Generator[bytes]]


@dataclass(eq=False)
class _Spoken:
    """A segment that is being spoken, and what nobody has read of its sound."""

    number: int
    text: str
    speakable: str
    began: float = field(default_factory=time.monotonic)
    pieces: deque[bytes] = field(default_factory=deque)
    is_started: bool = False
    is_finished: bool = False
    has_failed: bool = False


class _Unheard(Exception):
    """Nobody will read what a thread makes, which ends it."""


class SpokenReply:
    """The threads that make one reply, and what they have made."""

    def __init__(
        self,
        read: Read,
        speaker: Callable[[], AbstractContextManager[Speak]],
        lanes: Callable[[], int],
    ) -> None:
        """`read` gives the reply's deltas.

        Each lane, a thread that speaks one segment after another, opens a `speaker` of its own; it
        gives the sound of a text, piece by piece. `lanes` says how many lanes there may be. It is
        asked when the first sound has arrived, since only then is it settled which model speaks.
        """
        self._read, self._speaker, self._lanes = read, speaker, lanes
        self._segmenter, self._waiting = Segmenter(), Waiting()
        self._changed = Condition()
        self._deltas: list[str] = []
        self._spoken: deque[_Spoken] = deque()
        self._count = 0
        self._waiting_bytes = 0
        self._is_text_over = False
        self._is_closed = False
        self._is_mute = False
        self._threads = 0
        self._open_lanes = 0
        self._are_lanes_settled = False
        self.failure: ConversationError | None = None

    def events(self) -> Iterator[Event | None]:
        """Each event when its turn comes, and None where TICK_SECONDS brought none.

        Raises RuntimeError where the system has no thread left.
        """
        self._start("text", self._read_text, self._end_text)
        self._start_lane()
        while True:
            with self._changed:
                event = self._next()
                if event is None and not self._is_over():
                    self._changed.wait(TICK_SECONDS)
                    event = self._next()
                if event is None and self._is_over():
                    return
                self._changed.notify_all()  # Whoever waited for room has it.
            yield event

    def close(self) -> None:
        """End the threads where they are, unless they wait for the upstream: nobody reads on."""
        with self._changed:
            self._is_closed = True
            self._deltas.clear()
            self._spoken.clear()
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the threads have ended, but no longer than END_SECONDS."""
        with self._changed:
            self._changed.wait_for(lambda: not self._threads, END_SECONDS)

    def _is_over(self) -> bool:
        is_told = not self._spoken and not self._deltas
        is_spoken = self._is_mute or not self._open_lanes
        return self._is_closed or (self._is_text_over and is_spoken and is_told)

    def _next(self) -> Event | None:
        """The event whose turn it is, if it is there."""
        if self._deltas:
            text = "".join(self._deltas)
            self._deltas.clear()
            return TextDelta(text)
        if not self._spoken:
            return None
        first = self._spoken[0]
        if first.has_failed and not first.pieces:
            self._spoken.clear()  # Nothing is heard behind a gap.
            return None
        if not first.is_started and (first.pieces or first.is_finished):
            first.is_started = True
            if first.is_finished and not first.speakable:
                self._spoken.popleft()
            return SegmentStarted(first.number, first.text, first.began)
        if not first.pieces and not first.is_finished:
            return None
        data = first.pieces.popleft() if first.pieces else b""
        self._waiting_bytes -= len(data)
        is_last = first.is_finished and not first.has_failed and not first.pieces
        if is_last:
            self._spoken.popleft()
        return SoundPiece(first.number, data, is_last)

    def _start(self, stage: str, work: Callable[[], None], end: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except _Unheard:
                pass
            except Exception as error:
                self._keep(stage, error)
            finally:
                with self._changed:
                    self._threads -= 1
                    end()
                    self._changed.notify_all()

        with self._changed:
            Thread(target=run, name=stage, daemon=True).start()
            self._threads += 1

    def _start_lane(self) -> None:
        with self._changed:
            self._start("tts", self._speak_segments, self._end_lane)
            self._open_lanes += 1

    def _end_lane(self) -> None:
        self._open_lanes -= 1

    def _end_text(self) -> None:
        self._is_text_over = True
        self._waiting.add(self._segmenter.finish())

    def _keep(self, stage: str, error: Exception) -> None:
        """Note the first failure; an error that nobody foresaw is one of our own."""
        if not isinstance(error, ConversationError):
            log.unexpected(error, stage)
            error = InternalError()
        if not isinstance(error, RequestError):
            error.stage = stage
        with self._changed:
            if not self._is_closed:  # Else what ended the thread is the close, and no failure.
                self.failure = self.failure or error

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait for a change after which it is so, with the lock held."""
        while not self._is_closed and not is_so():
            self._changed.wait()
        if self._is_closed:
            raise _Unheard()

    def _read_text(self) -> None:
        with closing(self._read()) as deltas:
            for delta in deltas:
                with self._changed:
                    self._wait_for(lambda: sum(map(len, self._deltas)) < WAITING_CHARACTERS)
                    self._deltas.append(delta)
                    self._waiting.add(self._segmenter.feed(delta))
                    self._changed.notify_all()

    def _speak_segments(self) -> None:
        with self._speaker() as speak:
            while segment := self._take():
                try:
                    if segment.speakable:
                        with closing(speak(segment.speakable)) as pieces:
                            for piece in pieces:
                                self._add(segment, piece)
                except _Unheard:
                    raise
                except Exception as error:
                    with self._changed:  # Together, since the reply may be over with this.
                        segment.has_failed = self._is_mute = True
                        self._keep("tts", error)
                    return
                finally:
                    with self._changed:
                        segment.is_finished = True
                        self._changed.notify_all()

    def _take(self) -> _Spoken | None:
        """The next segment to speak, when there is one; None where there will be none."""
        with self._changed:
            self._wait_for(lambda: self._is_mute or bool(self._waiting) or self._is_text_over)
            if self._is_mute or not self._waiting:
                return None
            unit = self._waiting.take()
            segment = _Spoken(self._count, unit.text, unit.speakable)
            self._count += 1
            self._spoken.append(segment)
            return segment

    def _add(self, segment: _Spoken, piece: bytes) -> None:
        """Let a piece wait until it is read, once not too much of the segment waits already."""
        with self._changed:
            if not self._are_lanes_settled:
                self._are_lanes_settled = True
                with suppress(RuntimeError):  # Without a thread left, fewer lanes speak as well.
                    for _ in range(self._lanes() - 1):
                        self._start_lane()
            self._wait_for(lambda: self._has_room_for(segment))
            if segment not in self._spoken:
                raise _Unheard()
            segment.pieces.append(piece)
            self._waiting_bytes += len(piece)
            self._changed.notify_all()

    def _has_room_for(self, segment: _Spoken) -> bool:
        """Whether the segment's next piece may wait, or will not be heard anyway.

        The segment that is being told may always bring one, whatever waits behind it.
        """
        if self._waiting_bytes < WAITING_BYTES or segment not in self._spoken:
            return True
        return segment is self._spoken[0] and not segment.pieces
