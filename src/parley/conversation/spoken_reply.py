"""A reply, told while it is made: one greenlet reads it, others speak it, and one reader is told.

The greenlet that reads the reply cuts it into segments for those that speak. What is made waits in
a backlog until it is told. Nobody needs a lock: greenlets take turns only where one waits.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing

import gevent
from gevent.event import Event as Signal

from parley.conversation.event_order import TEXT_SECONDS, Backlog, SpokenSegment
from parley.conversation.reply_events import Event
from parley.conversation.segments import LONGEST, Segmenter, Waiting
from parley.conversation.state import Conversation, failure_of
from parley.deadline import let_others_run
from parley.held_too_long import ANY_ERROR
from parley.memory import Usage

TICK_SECONDS = 0.25
"""How long `events` waits before it says that nothing has happened."""

WAITED_SECONDS, PAUSE = 0.005, 5
"""Reading several deltas together costs less. So, while every lane speaks, the reading pauses after
a delta that took WAITED_SECONDS or more: PAUSE times as long as it took, at most TEXT_SECONDS."""

BUSY_SECONDS = 0.02
"""How long the reading goes on without a wait before it lets others run."""

END_SECONDS = 1
"""How long `close` waits for the greenlets to end."""

Speak = Callable[[str], Generator[bytes]]
"""Gives the sound of a text, piece by piece."""


class SpokenReply:
    """The greenlets that make one reply; a change wakes only those who wait for its kind."""

    def __init__(
        self,
        read: Callable[[], Generator[str]],
        speaker: Callable[[], AbstractContextManager[Speak]],
        lanes: Callable[[], int],
        conversation: Conversation,
        usage: Usage,
    ) -> None:
        """`read` gives the reply's deltas.

        Each lane, a greenlet that speaks one segment after another, opens a `speaker` of its own.
        `lanes` says how many lanes there may be, and is asked when the first sound has arrived:
        only then is it settled which model speaks. `usage` counts what is held; `conversation` gets
        the first failure, and what was told of the reply.
        """
        self._read, self._speaker, self._lanes = read, speaker, lanes
        self._segmenter, self._unspoken, self._backlog = Segmenter(), Waiting(), Backlog(usage)
        self._news, self._room, self._work = Signal(), Signal(), Signal()
        self._greenlets: list[gevent.Greenlet] = []
        self._open_lanes = self._idle_lanes = 0
        self._is_text_over = self._is_closed = self._is_mute = self._are_lanes_settled = False
        self.conversation = conversation

    def events(self) -> Iterator[list[Event]]:
        """The events whose turn has come, and none where TICK_SECONDS brought none."""
        self._greenlets.append(gevent.spawn(self._run_text))
        self._open_lane()
        while True:
            until = time.monotonic() + TICK_SECONDS
            while not (events := self._backlog.take(all_text=self._is_text_over)):
                if self._is_over():
                    return
                seconds = min(until, self._backlog.text_due()) - time.monotonic()
                if seconds <= 0:
                    break
                self._news.wait(seconds)
            _wake(self._room)
            yield events

    def close(self) -> None:
        """End the greenlets, wherever they wait: nobody reads on."""
        self._is_closed = True
        self._backlog.clear()
        gevent.killall(self._greenlets, timeout=END_SECONDS)
        self.conversation.reply = "".join(self._backlog.told)

    def _is_over(self) -> bool:
        is_spoken = self._is_mute or not self._open_lanes
        return self._is_closed or (self._is_text_over and is_spoken and not self._backlog)

    def _note(self, error: BaseException, stage: str) -> None:
        """Note a failure; what `close` ends fails without one."""
        failure = failure_of(error, stage)
        if not self._is_closed:
            self.conversation.note(failure)

    def _run_text(self) -> None:
        """Read the reply, in a greenlet."""
        try:
            try:
                self._read_text()
            finally:
                self._is_text_over = True
                self._unspoken.add(self._segmenter.finish())
        except ANY_ERROR as error:
            self._note(error, "text")
        finally:
            _wake(self._news, self._room, self._work)

    def _read_text(self) -> None:
        with closing(self._read()) as deltas:
            asked = busy_since = time.monotonic()
            for delta in deltas:
                waited = (now := time.monotonic()) - asked
                if waited >= WAITED_SECONDS:
                    busy_since = now
                for start in range(0, len(delta), LONGEST):
                    self._write(delta[start : start + LONGEST])
                    if time.monotonic() - busy_since >= BUSY_SECONDS:
                        let_others_run()
                        busy_since = time.monotonic()
                if waited >= WAITED_SECONDS and not self._idle_lanes:
                    time.sleep(min(TEXT_SECONDS, PAUSE * waited))
                asked = time.monotonic()

    def _write(self, text: str) -> None:
        """Let text be told and spoken, once not too much of it waits already."""
        while not self._backlog.has_room_for_text():
            self._room.wait()
        if self._backlog.add_text(text):
            _wake(self._news)
        if segments := self._segmenter.feed(text):
            self._unspoken.add(segments)
            _wake(self._work)

    def _open_lane(self) -> None:
        self._open_lanes += 1
        self._greenlets.append(gevent.spawn(self._run_lane))

    def _run_lane(self) -> None:
        """Speak one segment after another, in a greenlet."""
        try:
            with self._speaker() as speak:
                while (segment := self._take()) and self._speak_segment(segment, speak):
                    pass
        except ANY_ERROR as error:
            self._note(error, "tts")
        finally:
            self._open_lanes -= 1
            _wake(self._news, self._room, self._work)

    def _take(self) -> SpokenSegment | None:
        """The next segment to speak, when there is one; None where there will be none."""
        self._idle_lanes += 1
        while not (self._is_mute or self._unspoken or self._is_text_over):
            self._work.wait()
        self._idle_lanes -= 1
        if self._is_mute or not self._unspoken:
            return None
        return self._backlog.add_segment(self._unspoken.take())

    def _speak_segment(self, segment: SpokenSegment, speak: Speak) -> bool:
        """Have a segment spoken; return whether what follows it may be heard, too."""
        try:
            if segment.speakable:
                with closing(speak(segment.speakable)) as pieces:
                    return all(self._add(segment, piece) for piece in pieces)
            return True
        except ANY_ERROR as error:
            segment.has_failed = self._is_mute = True
            self._note(error, "tts")
            return False
        finally:
            segment.is_finished = True
            _wake(self._news)

    def _add(self, segment: SpokenSegment, piece: bytes) -> bool:
        """Let a piece wait until it is told, once not too much of the segment waits already.

        Returns whether anybody will be told of it.
        """
        if not self._are_lanes_settled:
            self._are_lanes_settled = True
            for _ in range(self._lanes() - 1):
                self._open_lane()
        while not self._backlog.has_room_for(segment):
            self._room.wait()
        if not segment.will_be_told:
            return False
        self._backlog.add_sound(segment, piece)
        if self._backlog.is_next(segment):
            _wake(self._news)
        return True


def _wake(*signals: Signal) -> None:
    """Wake all greenlets that wait for these signals now."""
    for signal in signals:
        signal.set()
        signal.clear()
