"""A reply, told while it is made: one greenlet reads it, others ("lanes") speak its segments."""

import time
from collections.abc import Iterator
from contextlib import closing

import gevent
from gevent.event import Event as Signal

from parley.conversation.event_order import TEXT_SECONDS, Backlog, Event, SpokenSegment
from parley.conversation.segments import LONGEST_SEGMENT, Segmenter, Unspoken
from parley.conversation.stages import LOOK_SECONDS, STREAM_SECONDS, Stages, with_stage
from parley.conversation.thoughts import deltas_without_thoughts
from parley.deadline import let_others_run
from parley.errors import ANY_ERROR, ThoughtsAlone
from parley.upstream.realtime import VoiceReader

# Reading several deltas together costs less. So, while every lane speaks, the reading pauses after
# a delta that took WAITED_SECONDS or more: PAUSE times as long as it took, at most TEXT_SECONDS.
WAITED_SECONDS, PAUSE = 0.005, 5
BUSY_SECONDS = 0.02  # How long the reading goes on without a wait before it lets others run.
END_SECONDS = 1  # How long `close` waits for the greenlets to end.
LANES = {"speech": 3, "realtime": 1}  # How many segments are spoken at once, by the interface.


class SpokenReply:
    """The greenlets of one reply: `_news` wakes `events`, `_work` lanes, `_room` who adds more."""

    def __init__(self, stages: Stages) -> None:
        self._stages, self._client = stages, stages.client
        self.conversation = stages.conversation
        self._segmenter, self._unspoken = Segmenter(), Unspoken()
        self._backlog = Backlog(self._client.usage)
        self._news, self._room, self._work = Signal(), Signal(), Signal()
        self._greenlets: list[gevent.Greenlet] = []
        self._open_lanes = self._idle_lanes = 0
        self._is_text_over = self._is_mute = False  # Mute: a segment failed, none follows.

    def events(self) -> Iterator[list[Event]]:
        """The events whose turn has come; an empty list after at most LOOK_SECONDS without any."""
        self._client.deadline.extend(STREAM_SECONDS)
        self._greenlets.append(gevent.spawn(self._run_text))
        self._open_lane()
        while True:
            until = time.monotonic() + LOOK_SECONDS
            while not (events := self._backlog.take(all_text=self._is_text_over)):
                is_spoken = self._is_mute or not self._open_lanes
                if self._is_text_over and is_spoken and not self._backlog:
                    return
                seconds = min(until, self._backlog.text_due()) - time.monotonic()
                if seconds <= 0:
                    break
                self._news.wait(seconds)
            _wake(self._room)
            yield events

    def close(self) -> None:
        """End the greenlets, wherever they wait; the conversation's reply becomes what was told."""
        self._backlog.clear()
        gevent.killall(self._greenlets, timeout=END_SECONDS)
        self.conversation.reply = "".join(self._backlog.told)

    def _run_text(self) -> None:
        try:
            with self.conversation.up_to_a_failure(), self._stages.stage("text"):
                try:
                    self._read_text()
                finally:
                    self._unspoken.extend(self._segmenter.finish())
        finally:
            self._is_text_over = True
            _wake(self._news, self._room, self._work)

    def _read_text(self) -> None:
        delta = ""
        with closing(self._client.stream_reply(self.conversation.transcript)) as reply:
            asked = busy_since = time.monotonic()  # When a delta was asked for, and others ran.
            for delta in deltas_without_thoughts(reply):
                waited = (now := time.monotonic()) - asked
                if waited >= WAITED_SECONDS:
                    busy_since = now
                for start in range(0, len(delta), LONGEST_SEGMENT):
                    self._write(delta[start : start + LONGEST_SEGMENT])
                    if time.monotonic() - busy_since >= BUSY_SECONDS:
                        let_others_run()
                        busy_since = time.monotonic()
                if waited >= WAITED_SECONDS and not self._idle_lanes:
                    time.sleep(min(TEXT_SECONDS, PAUSE * waited))
                asked = time.monotonic()
            if not delta:
                raise ThoughtsAlone()

    def _write(self, text: str) -> None:
        """Let text be told and spoken, once not too much of it waits already."""
        while not self._backlog.has_room_for_text():
            self._room.wait()
        if self._backlog.add_text(text):
            _wake(self._news)
        if segments := self._segmenter.feed(text):
            self._unspoken.extend(segments)
            _wake(self._work)

    def _open_lane(self) -> None:
        self._open_lanes += 1
        self._greenlets.append(gevent.spawn(self._run_lane))

    def _run_lane(self) -> None:
        try:
            with closing(VoiceReader()) as reader:  # It stays unused but for the Realtime API.
                while segment := self._take_segment():
                    self._speak(segment, reader)
        except ANY_ERROR as error:
            self.conversation.note(with_stage(error, "tts"))
        finally:
            self._open_lanes -= 1
            _wake(self._news, self._room, self._work)

    def _take_segment(self) -> SpokenSegment | None:
        """Move a segment to the backlog, once there is one; None where there will be none."""
        self._idle_lanes += 1
        while not (self._is_mute or self._unspoken or self._is_text_over):
            self._work.wait()
        self._idle_lanes -= 1
        if self._is_mute or not self._unspoken:
            return None
        return self._backlog.add_segment(self._unspoken.take())

    def _speak(self, segment: SpokenSegment, reader: VoiceReader) -> None:
        """Have a segment spoken; after a failure no sound that follows may be heard."""
        try:
            if segment.speakable:
                with (
                    self._stages.stage("tts"),
                    closing(self._client.stream_speech(segment.speakable, reader)) as speech,
                ):
                    for piece in speech:
                        self._add(segment, piece)
                        if segment.is_forgotten:
                            return
        except ANY_ERROR as error:
            segment.has_failed = self._is_mute = True
            self.conversation.note(with_stage(error, "tts"))
        finally:
            segment.is_finished = True
            _wake(self._news)

    def _add(self, segment: SpokenSegment, piece: bytes) -> None:
        """Let a piece wait until it is told, once there is room; the first one opens more lanes."""
        # Only now is it settled which model speaks. The first of the greenlets reads the text.
        lanes = LANES[self.conversation.models_used["tts"].interface]
        for _ in range(1 + lanes - len(self._greenlets)):
            self._open_lane()
        while not self._backlog.has_room_for(segment):
            self._room.wait()
        self._backlog.add_sound(segment, piece)
        if self._backlog.is_next(segment):
            _wake(self._news)


def _wake(*signals: Signal) -> None:
    for signal in signals:
        signal.set()
        signal.clear()
