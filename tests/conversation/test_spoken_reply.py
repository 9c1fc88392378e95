"""A reply's text and sound come side by side, whole and in order, and end with their reader."""

import threading
import time
from contextlib import nullcontext
from itertools import chain
from types import SimpleNamespace

import pytest

from parley.conversation.backlog import TEXT_SECONDS
from parley.conversation.reply_events import SegmentStarted, SoundPiece, TextDelta
from parley.conversation.spoken_reply import SpokenReply
from parley.errors import InternalError, UpstreamUnavailable

SENTENCES = [f"This is sentence number {number}. " for number in range(40)]
REPLY = "".join(SENTENCES)


def words():
    for word in REPLY.split(" "):
        yield f"{word} " if word else ""


def sound(text):
    for start in range(0, len(text), 7):
        yield text[start : start + 7].encode()


def reply_of(read, speak, lanes=3):
    return SpokenReply(read, lambda: nullcontext(speak), lambda: lanes)


def generator(*deltas):
    yield from deltas


def heard(events):
    """The text, each segment's text, and each segment's sound, as they were told."""
    text, segments, sounds, ended = "", [], [], []
    for event in chain.from_iterable(events):
        match event:
            case TextDelta(delta):
                text += delta
            case SegmentStarted(number, part, _):
                assert number == len(segments)
                segments.append(part)
                sounds.append(b"")
            case SoundPiece(number, data, last):
                assert number == len(segments) - 1
                sounds[-1] += data
                ended += [number] * last
    return text, segments, sounds, ended


@pytest.mark.parametrize("lanes", [1, 3])
def test_text_and_sound_are_told_whole_and_in_order(lanes):
    """Every character is text once and belongs to one segment, whose sound ends once."""
    reply = reply_of(words, sound, lanes)
    text, segments, sounds, ended = heard(reply.events())
    assert text.strip() == REPLY.strip() == "".join(segments).strip()
    assert ended == list(range(len(segments)))
    assert [part.strip() for part in segments] == [data.decode() for data in sounds]
    assert reply.failure is None


def test_many_deltas_are_told_in_few_events():
    """Each event costs a write: about ten a second are told, however many deltas come."""
    told, is_written = [], threading.Event()

    def slow():
        for word in words():
            time.sleep(0.001)
            yield word
        is_written.set()

    def silent(text):
        is_written.wait(20)
        yield text.encode()

    begun = time.monotonic()
    for events in reply_of(slow, silent).events():
        told += [time.monotonic() - begun for event in events if isinstance(event, TextDelta)]
    assert len(told) <= told[-1] / TEXT_SECONDS + 3 < len(list(words())) / 2


def test_text_is_read_at_once_while_a_lane_waits_for_it():
    """Only while every lane speaks may deltas gather before they are read."""
    begun = time.monotonic()

    def slow():
        for word in list(words())[:100]:
            time.sleep(0.01)
            yield word

    heard(reply_of(slow, sound).events())
    assert time.monotonic() - begun < 4  # With the pauses it would be 6.


def test_deltas_gather_while_every_lane_speaks(monkeypatch):
    """Reading several of them together costs less; no pause is longer than text may wait."""
    pauses, is_written = [], threading.Event()
    clock = SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic)
    monkeypatch.setattr("parley.conversation.spoken_reply.time", clock)

    def slow():
        for word in list(words())[:40]:
            time.sleep(0.01)
            yield word
        is_written.set()

    def silent(text):
        is_written.wait(20)
        yield text.encode()

    heard(reply_of(slow, silent).events())
    assert 0.05 <= min(pauses) <= max(pauses) <= TEXT_SECONDS


def test_at_most_three_segments_are_spoken_at_once():
    """More would take the upstream's turns from other callers; fewer would end later."""
    busy, most = [], []

    def slow(text):
        busy.append(text)
        most.append(len(busy))
        time.sleep(0.05)
        busy.remove(text)
        yield text.encode()

    heard(reply_of(words, slow).events())
    assert max(most) == 3


def test_sentences_that_wait_are_merged():
    """One call for several sentences ends sooner than one for each."""
    started = threading.Event()

    def slow(text):
        started.wait(5)
        yield text.encode()

    def read():
        yield from words()
        started.set()

    _, segments, _, _ = heard(reply_of(read, slow).events())
    assert len(segments) < len(SENTENCES)
    assert all(len(part) <= 200 for part in segments)


def test_no_sound_follows_a_failure_and_the_text_goes_on():
    """What comes before the failed segment is heard to its end."""

    def fails(text):
        if "number 3." in text:
            raise UpstreamUnavailable()
        yield from sound(text)

    reply = reply_of(words, fails)
    text, segments, _, ended = heard(reply.events())
    assert text.strip() == REPLY.strip()
    assert not any("number 3." in part for part in segments)
    assert len(ended) == len(segments)
    assert (reply.failure.code, reply.failure.stage) == ("upstream_unavailable", "tts")


def test_a_segment_that_breaks_off_does_not_end():
    """Its sound is not whole, and nobody is told that it is."""

    def breaks(text):
        yield text.encode()[:3]
        raise UpstreamUnavailable()

    reply = reply_of(words, breaks)
    _, _, sounds, ended = heard(reply.events())
    assert sounds == [b"Thi"]
    assert not ended
    assert reply.failure.stage == "tts"


def test_what_was_written_before_a_failure_of_the_text_is_spoken():
    """The failure is told afterwards."""

    def fails():
        yield SENTENCES[0] + SENTENCES[1]
        raise UpstreamUnavailable()

    reply = reply_of(fails, sound)
    text, segments, _, ended = heard(reply.events())
    assert text == "".join(segments) == SENTENCES[0] + SENTENCES[1]
    assert len(ended) == len(segments)
    assert reply.failure.stage == "text"


def test_an_error_of_our_own_is_internal_and_logged(caplog):
    """A thread's error ends its stage and nothing else."""
    reply = reply_of(words, lambda text: 1 / 0)
    text, _, sounds, _ = heard(reply.events())
    assert (text.strip(), sounds) == (REPLY.strip(), [])
    assert isinstance(reply.failure, InternalError)


def test_a_slow_reader_slows_the_upstream():
    """Sound is not gathered for someone who does not read it."""
    made = []

    def endless(text):
        for _ in range(1000):
            made.append(None)
            yield bytes(64 * 1024)

    reply = reply_of(lambda: generator(SENTENCES[0]), endless)
    events = reply.events()
    for _ in range(3):
        next(events)
    time.sleep(0.3)
    assert len(made) < 10
    reply.close()


def test_a_slow_reader_slows_the_text():
    """However fast it is written: it is not gathered either."""
    made = []

    def endless():
        for _ in range(2000):
            made.append(None)
            yield "word " * 10

    reply = reply_of(endless, lambda text: generator(b""))
    next(reply.events())
    time.sleep(0.3)
    assert len(made) < 1000  # A thousand of them are 50,000 characters.
    reply.close()
    reply.wait()


def test_many_short_segments_fill_no_memory_either():
    """What waits is bounded over all segments, however short each of them is."""
    made = []

    def speak(text):
        made.append(text)
        yield bytes(64 * 1024)

    reply = reply_of(words, speak)
    events = reply.events()
    for _ in range(3):
        next(events)
    time.sleep(0.3)
    assert len(made) < 10
    reply.close()


def test_without_threads_for_more_lanes_one_speaks(monkeypatch):
    """A system's limit makes speech slower, not silent."""
    start, started = threading.Thread.start, []

    def limited(thread):
        started.append(thread)
        if len(started) > 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    reply = reply_of(words, sound)
    text, segments, _, ended = heard(reply.events())
    assert text.strip() == REPLY.strip() == "".join(segments).strip()
    assert ended == list(range(len(segments)))
    assert reply.failure is None
    assert len(started) > 2


def test_a_failure_is_told_while_a_later_segment_is_still_asked_for():
    """Whoever waits for the error does not wait for sound that nobody will hear."""
    left = threading.Event()

    def speak(text):
        if "number 0." in text:
            yield b"sound"
            left.wait(5)
            raise UpstreamUnavailable()
        left.set()
        time.sleep(1)
        yield b"sound"

    reply = reply_of(words, speak)
    begun = time.monotonic()
    heard(reply.events())
    assert reply.failure.stage == "tts"
    assert time.monotonic() - begun < 0.9


def test_closing_ends_every_thread():
    """A caller who leaves takes all work along."""

    def endless(text):
        while True:
            yield bytes(64 * 1024)

    before = threading.active_count()
    reply = reply_of(words, endless)
    events = reply.events()
    for _ in range(5):
        next(events)
    reply.close()
    reply.wait()
    assert list(events) == []
    assert threading.active_count() <= before


def test_silence_is_told(monkeypatch):
    """Whoever serves the events can look at the caller meanwhile."""
    monkeypatch.setattr("parley.conversation.spoken_reply.TICK_SECONDS", 0.02)

    def slow():
        time.sleep(0.2)
        yield SENTENCES[0]

    events = list(reply_of(slow, sound).events())
    assert events.count([]) >= 3


def test_nobody_is_asked_to_speak_nothing():
    """An upstream would refuse it; the text is told all the same."""
    code, spoken = "```py\nx = 1\n```", []

    def speak(text):
        spoken.append(text)
        yield text.encode()

    reply = reply_of(lambda: generator(code), speak)
    text, segments, sounds, ended = heard(reply.events())
    assert text == "".join(segments) == code
    assert (spoken, sounds, ended, reply.failure) == ([], [b""], [], None)


def test_a_segment_without_words_is_text_and_no_sound():
    """Code is written, and not spoken."""
    code = "Look at this little piece of code:\n\n```py\nx = 1\n```\n\nThat was all of it."
    spoken = []

    def speak(text):
        spoken.append(text)
        yield text.encode()

    text, segments, _, _ = heard(reply_of(lambda: generator(code), speak, 1).events())
    assert text == "".join(segments) == code
    assert "x = 1" not in " ".join(spoken)
