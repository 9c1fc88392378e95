"""A reply's text and sound come side by side, whole and in order, as fast as they are taken."""

import threading
import time
from itertools import chain
from types import SimpleNamespace

import pytest

from parley.conversation.event_order import TEXT_SECONDS, SoundPiece, SpokenSegment
from parley.conversation.segments import Segment, Unspoken, segments_of
from parley.conversation.spoken_reply import SpokenReply
from parley.conversation.stages import Stages
from parley.deadline import Deadline
from parley.errors import UpstreamUnavailable
from parley.models.registry import Model
from parley.upstream.client import Client, Options

SENTENCES = [f"This is sentence number {number}. " for number in range(40)]
REPLY = "".join(SENTENCES)
WORDS = [f"{word} " for word in REPLY.split()]


def generator(*deltas):
    yield from deltas


def words():
    return generator(*WORDS)


def sound(text):
    for start in range(0, len(text), 7):
        yield text[start : start + 7].encode()


def reply_of(read, speak, lanes=3):
    """A reply that `read` writes, and `speak` speaks in so many lanes."""
    models = {"tts": Model("m", {1: "realtime", 3: "speech"}[lanes])}
    stages = Stages(Client(None, {}, models, Deadline.after(60), Options("")), lambda: True)
    stages.client.stream_reply = lambda transcript: read()
    stages.client.stream_speech = lambda text, reader: speak(text)
    return SpokenReply(stages)


def heard(reply):
    """The text, each segment's text, and each segment's sound, as they were told."""
    text, segments, sounds, ended = "", [], [], []
    for event in chain.from_iterable(reply.events()):
        match event:
            case str(delta):
                text += delta
            case SpokenSegment(number, part):
                assert number == len(segments)
                segments.append(part)
                sounds.append(b"")
            case SoundPiece(number, data, last):
                assert number == len(segments) - 1
                sounds[-1] += data
                ended += [number] * last
    assert ended == list(range(len(ended)))
    return text, segments, sounds[: len(ended)]


def slowly(seconds, count):
    """A reply of so many words, each of which takes time, and what speaks once all are there."""
    are_written = threading.Event()

    def read():
        for word in WORDS[:count]:
            time.sleep(seconds)
            yield word
        are_written.set()

    def silent(text):
        are_written.wait(20)
        yield text.encode()

    return read, silent


def test_many_deltas_are_told_in_few_events():
    """Each event costs a write: about ten a second are told, however many deltas come."""
    told, begun = [], time.monotonic()
    for events in reply_of(*slowly(0.001, None)).events():
        told += [time.monotonic() - begun for event in events if isinstance(event, str)]
    assert len(told) <= told[-1] / TEXT_SECONDS + 3 < len(WORDS) / 2


@pytest.mark.parametrize("every_lane_speaks", [True, False])
def test_deltas_gather_only_while_every_lane_speaks(monkeypatch, every_lane_speaks):
    """To read several together costs less; no pause is longer than text may wait."""
    pauses = []
    clock = SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic)
    monkeypatch.setattr("parley.conversation.spoken_reply.time", clock)
    read, silent = slowly(0.01, 40)
    heard(reply_of(read, silent if every_lane_speaks else sound))
    assert bool(pauses) is every_lane_speaks
    assert all(0.05 <= pause <= TEXT_SECONDS for pause in pauses)


def test_sentences_that_wait_are_merged():
    """One call for several sentences ends sooner than one for each."""
    _, segments, _ = heard(reply_of(*slowly(0, None)))
    assert len(segments) < len(SENTENCES)
    assert all(len(part) <= 200 for part in segments)


def test_what_is_joined_keeps_its_pauses():
    """In one call for a whole reply, as in one for segments that wait; not where one was cut."""
    items = (
        "- Eggs from a large shop\n- Milk (two bottles)\n- (It is all.)\n- 卵と牛乳をお願い\n\nSo."
    )
    said = "Eggs from a large shop. Milk (two bottles). (It is all.) 卵と牛乳をお願い。 So."
    assert Unspoken(segments_of(items)).take().speakable == said
    stages = reply_of(words, sound)._stages
    stages.conversation.reply = items
    assert stages._speak(str) == said
    assert Segment("a\n", "a", ends_amid=True).joined == "a"


def test_silence_is_told(monkeypatch):
    """Whoever serves the events can look at the caller meanwhile."""
    monkeypatch.setattr("parley.conversation.spoken_reply.LOOK_SECONDS", 0.02)
    assert list(reply_of(slowly(0.2, 1)[0], sound).events()).count([]) >= 3


CODE = "```py\nx = 1\n```"


@pytest.mark.parametrize("code", [CODE, f"Look at this code of mine:\n\n{CODE}\n\nThat is all."])
def test_a_segment_without_words_is_text_and_no_sound(code):
    """An upstream would refuse to speak nothing."""
    spoken = []

    def speak(text):
        spoken.append(text)
        yield text.encode()

    reply = reply_of(lambda: generator(code), speak, 1)
    text, segments, sounds = heard(reply)
    assert text == "".join(segments) == code
    assert len(sounds) == len(spoken)
    assert "x = 1" not in " ".join(spoken)
    assert all(spoken)
    assert reply.conversation.failure is None


@pytest.mark.parametrize(
    ("text", "pieces"), [(SENTENCES[:1], 1000), (WORDS, 1)], ids=["one segment", "many segments"]
)
def test_a_slow_reader_slows_the_upstream(text, pieces):
    """Sound is not gathered for someone who does not read it: over all segments it is bounded."""
    made = []

    def speak(segment):
        for _ in range(pieces):
            made.append(segment)
            yield bytes(64 * 1024)

    reply = reply_of(lambda: generator(*text), speak)
    events = reply.events()
    for _ in range(3):
        next(events)
    time.sleep(0.3)
    assert len(made) < 10
    reply.close()


def test_a_slow_reader_slows_the_text():
    read = generator(*["word " * 10] * 2000)
    reply = reply_of(lambda: read, lambda text: generator(b""))
    next(reply.events())
    time.sleep(0.3)
    assert len(list(read)) > 1000  # A thousand of them are 50,000 characters.
    reply.close()


def test_a_long_delta_lets_others_run(monkeypatch):
    """The reading goes on for BUSY_SECONDS at most, here for each segment's length."""
    rests = []
    monkeypatch.setattr("parley.conversation.spoken_reply.let_others_run", lambda: rests.append(1))
    monkeypatch.setattr("parley.conversation.spoken_reply.BUSY_SECONDS", 0)
    text, _, _ = heard(reply_of(lambda: generator(REPLY * 8), sound))
    assert text.strip() == (REPLY * 8).strip()
    assert len(rests) >= len(text) // 400


def test_a_failure_is_told_while_a_later_segment_is_still_asked_for():
    """Whoever waits for the error does not wait for sound that nobody will hear."""
    left = threading.Event()

    def speak(text):
        if "number 0." in text:
            yield b"sound"
            left.wait(20)
            raise UpstreamUnavailable()
        left.set()
        time.sleep(30)
        yield b"sound"

    reply = reply_of(words, speak)
    begun = time.monotonic()
    heard(reply)
    assert reply.conversation.failure.stage == "tts"
    assert time.monotonic() - begun < 15


def test_speech_that_nobody_will_hear_is_left():
    """However long the text goes on: a later segment ends with the one that failed before it."""
    begun, left, in_time = threading.Event(), threading.Event(), []

    def speak(text):
        if "number 0." in text:
            yield b"sound"
            begun.wait(20)
            raise UpstreamUnavailable()
        begun.set()
        try:
            while True:
                time.sleep(0.01)
                yield b"sound"
        finally:
            left.set()

    def read():
        yield from WORDS
        in_time.append(left.wait(10))

    heard(reply_of(read, speak))
    assert in_time == [True]
