"""A reply's text and sound come side by side, whole and in order, and end with their reader."""

import threading
import time

import pytest

from parley.conversation.spoken_reply import SegmentStarted, SoundPiece, SpokenReply, TextDelta
from parley.errors import InternalError, UpstreamUnavailable

SENTENCES = [f"This is sentence number {number}. " for number in range(40)]
REPLY = "".join(SENTENCES)


def words():
    for word in REPLY.split(" "):
        yield f"{word} " if word else ""


def sound(text):
    for start in range(0, len(text), 7):
        yield text[start : start + 7].encode()


def heard(events):
    """The text, each segment's text, and each segment's sound, as they were told."""
    text, segments, sounds, ended = "", [], [], []
    for event in events:
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
    reply = SpokenReply(words, sound, lambda: lanes)
    text, segments, sounds, ended = heard(reply.events())
    assert text.strip() == REPLY.strip() == "".join(segments).strip()
    assert ended == list(range(len(segments)))
    assert [part.strip() for part in segments] == [data.decode() for data in sounds]
    assert reply.failure is None


def test_at_most_three_segments_are_spoken_at_once():
    """More would take the upstream's turns from other callers; fewer would end later."""
    busy, most = [], []

    def slow(text):
        busy.append(text)
        most.append(len(busy))
        time.sleep(0.05)
        busy.remove(text)
        yield text.encode()

    heard(SpokenReply(words, slow, lambda: 3).events())
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

    _, segments, _, _ = heard(SpokenReply(read, slow, lambda: 3).events())
    assert len(segments) < len(SENTENCES)
    assert all(len(part) <= 200 for part in segments)


def test_no_sound_follows_a_failure_and_the_text_goes_on():
    """What comes before the failed segment is heard to its end."""

    def fails(text):
        if "number 3." in text:
            raise UpstreamUnavailable()
        yield from sound(text)

    reply = SpokenReply(words, fails, lambda: 3)
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

    reply = SpokenReply(words, breaks, lambda: 3)
    _, _, sounds, ended = heard(reply.events())
    assert sounds == [b"Thi"]
    assert not ended
    assert reply.failure.stage == "tts"


def test_what_was_written_before_a_failure_of_the_text_is_spoken():
    """The failure is told afterwards."""

    def fails():
        yield SENTENCES[0] + SENTENCES[1]
        raise UpstreamUnavailable()

    reply = SpokenReply(fails, sound, lambda: 3)
    text, segments, _, ended = heard(reply.events())
    assert text == "".join(segments) == SENTENCES[0] + SENTENCES[1]
    assert len(ended) == len(segments)
    assert reply.failure.stage == "text"


def test_an_error_of_our_own_is_internal_and_logged(caplog):
    """A thread's error ends its stage and nothing else."""
    reply = SpokenReply(words, lambda text: 1 / 0, lambda: 3)
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

    reply = SpokenReply(lambda: iter([SENTENCES[0]]), endless, lambda: 3)
    events = reply.events()
    for _ in range(3):
        next(events)
    time.sleep(0.3)
    assert len(made) < 10
    reply.close()


def test_closing_ends_every_thread():
    """A caller who leaves takes all work along."""

    def endless(text):
        while True:
            yield bytes(64 * 1024)

    before = threading.active_count()
    reply = SpokenReply(words, endless, lambda: 3)
    events = reply.events()
    for _ in range(5):
        next(events)
    reply.close()
    assert list(events) == []
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_silence_is_told(monkeypatch):
    """Whoever serves the events can look at the caller meanwhile."""
    monkeypatch.setattr("parley.conversation.spoken_reply.TICK_SECONDS", 0.02)

    def slow():
        time.sleep(0.2)
        yield SENTENCES[0]

    events = list(SpokenReply(slow, sound, lambda: 3).events())
    assert events.count(None) >= 3


def test_a_segment_without_words_is_text_and_no_sound():
    """Code is written, and not spoken."""
    code = "Look at this little piece of code:\n\n```py\nx = 1\n```\n\nThat was all of it."
    spoken = []

    def speak(text):
        spoken.append(text)
        yield text.encode()

    text, segments, _, _ = heard(SpokenReply(lambda: iter([code]), speak, lambda: 1).events())
    assert text == "".join(segments) == code
    assert "x = 1" not in " ".join(spoken)
