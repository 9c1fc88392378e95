"""A reply, told while it is made: one thread reads it, others speak it, and one reader is told.

The thread that reads the reply cuts it into segments for those that speak. What is made waits in a
backlog, in which whoever iterates over `events` gets all of it in turn. All share one lock.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, suppress
from threading import Condition, RLock, Thread

from parley import log
from parley.conversation.backlog import TEXT_SECONDS, Backlog, SpokenSegment
from parley.conversation.reply_events import Event
from parley.conversation.segments import Segmenter, Waiting
from parley.errors import ConversationError, InternalError, RequestError
from parley.held import UNFORESEEN

TICK_SECONDS = 0.25
"""How long `events` waits before it says that nothing has happened."""

WAITED_SECONDS, PAUSE = 0.005, 5
"""Reading several deltas together costs less. So, while every lane speaks, the reading pauses after
a delta that took WAITED_SECONDS or more: PAUSE times as long as it took, at most TEXT_SECONDS."""

END_SECONDS = 1
"""How long `close` waits for the threads to end; they look several times a second."""


Read = Callable[[], Generator[str]]
Speak = Callable[[str], Generator[bytes]]


class _Unheard(Exception):
    """Nobody will read what a thread makes, which ends it."""


class SpokenReply:
    """The threads that make one reply, and whoever is told of it.

    Each condition is of the same lock, so that a change wakes only those who wait for its kind.
    """

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
        self._segmenter, self._unspoken, self._backlog = Segmenter(), Waiting(), Backlog()
        self._lock = RLock()
        self._news, self._room, self._work = (Condition(self._lock) for _ in range(3))
        self._threads = self._open_lanes = self._idle_lanes = 0
        self._is_text_over = self._is_closed = self._is_mute = self._are_lanes_settled = False
        self.failure: ConversationError | None = None

    def events(self) -> Iterator[list[Event]]:
        """The events whose turn has come, and none where TICK_SECONDS brought none.

        Raises RuntimeError where the system has no thread left.
        """
        self._start("text", self._read_text, self._end_text)
        self._start_lane()
        while True:
            with self._lock:
                events = self._await_events()
                if not events and self._is_over():
                    return
                self._room.notify_all()
            yield events

    def close(self) -> None:
        """End the threads where they are, unless they wait for the upstream: nobody reads on."""
        with self._lock:
            self._is_closed = True
            self._backlog.clear()
            self._notify_all()

    def wait(self) -> None:
        """Wait until the threads have ended, but no longer than END_SECONDS."""
        with self._lock:
            self._news.wait_for(lambda: not self._threads, END_SECONDS)

    def _await_events(self) -> list[Event]:
        """The next events; none at the end, and where TICK_SECONDS brought none."""
        until = time.monotonic() + TICK_SECONDS
        while not (events := self._backlog.take(all_text=self._is_text_over)):
            seconds = min(until, self._backlog.text_due()) - time.monotonic()
            if seconds <= 0 or self._is_over():
                break
            self._news.wait(seconds)
        return events

    def _is_over(self) -> bool:
        is_spoken = self._is_mute or not self._open_lanes
        return self._is_closed or (self._is_text_over and is_spoken and not self._backlog)

    def _notify_all(self) -> None:
        for condition in (self._news, self._room, self._work):
            condition.notify_all()

    def _start(self, stage: str, work: Callable[[], None], end: Callable[[], None]) -> None:
        def run() -> None:
            self._attempt(stage, work)
            with self._lock:
                self._attempt(stage, end)
                self._threads -= 1
                self._notify_all()

        with self._lock:
            Thread(target=run, name=stage, daemon=True).start()
            self._threads += 1

    def _attempt(self, stage: str, work: Callable[[], None]) -> None:
        try:
            work()
        except _Unheard:
            pass
        except UNFORESEEN as error:
            self._keep(stage, error)

    def _start_lane(self) -> None:
        with self._lock:
            self._start("tts", self._speak_segments, self._end_lane)
            self._open_lanes += 1

    def _end_lane(self) -> None:
        self._open_lanes -= 1

    def _end_text(self) -> None:
        self._is_text_over = True
        self._unspoken.add(self._segmenter.finish())

    def _keep(self, stage: str, error: BaseException) -> None:
        """Note the first failure; an error that nobody foresaw is one of our own."""
        if not isinstance(error, ConversationError):
            log.unexpected(error, stage)
            error = InternalError()
        if not isinstance(error, RequestError):
            error.stage = stage
        with self._lock:
            if not self._is_closed:  # Else what ended the thread is the close, and no failure.
                self.failure = self.failure or error

    def _wait_for(self, condition: Condition, is_so: Callable[[], bool]) -> None:
        """Wait for a change after which it is so, with the lock held."""
        while not self._is_closed and not is_so():
            condition.wait()
        if self._is_closed:
            raise _Unheard()

    def _read_text(self) -> None:
        with closing(self._read()) as deltas:
            asked = time.monotonic()
            for delta in deltas:
                waited = time.monotonic() - asked
                with self._lock:
                    self._wait_for(self._room, self._backlog.has_room_for_text)
                    if self._backlog.add_text(delta):
                        self._news.notify()
                    if segments := self._segmenter.feed(delta):
                        self._unspoken.add(segments)
                        self._work.notify_all()
                    is_idle = bool(self._idle_lanes)
                if waited >= WAITED_SECONDS and not is_idle:
                    time.sleep(min(TEXT_SECONDS, PAUSE * waited))
                asked = time.monotonic()

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
                except UNFORESEEN as error:
                    with self._lock:  # Together, since the reply may be over with this.
                        segment.has_failed = self._is_mute = True
                        self._keep("tts", error)
                    return
                finally:
                    with self._lock:
                        segment.is_finished = True
                        self._news.notify()

    def _take(self) -> SpokenSegment | None:
        """The next segment to speak, when there is one; None where there will be none."""
        with self._lock:
            self._idle_lanes += 1
            self._wait_for(
                self._work, lambda: self._is_mute or bool(self._unspoken) or self._is_text_over
            )
            self._idle_lanes -= 1
            if self._is_mute or not self._unspoken:
                return None
            return self._backlog.add_segment(self._unspoken.take())

    def _add(self, segment: SpokenSegment, piece: bytes) -> None:
        """Let a piece wait until it is told, once not too much of the segment waits already."""
        with self._lock:
            if not self._are_lanes_settled:
                self._are_lanes_settled = True
                with suppress(RuntimeError):  # Without a thread left, fewer lanes speak as well.
                    for _ in range(self._lanes() - 1):
                        self._start_lane()
            self._wait_for(self._room, lambda: self._backlog.has_room_for(segment))
            if not self._backlog.will_tell(segment):
                raise _Unheard()
            self._backlog.add_sound(segment, piece)
            if self._backlog.is_next(segment):
                self._news.notify()
