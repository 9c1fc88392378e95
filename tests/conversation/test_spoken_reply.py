"""A reply's text and sound come side by side, whole and in order."""

import threading
import time
from types import SimpleNamespace

import pytest
from testing.spoken_replies import REPLY, SENTENCES, generator, heard, reply_of, sound, words

from parley.conversation.event_order import TEXT_SECONDS, TextDelta


@pytest.mark.parametrize("lanes", [1, 3])
def test_text_and_sound_are_told_whole_and_in_order(lanes):
    reply = reply_of(words, sound, lanes)
    text, segments, sounds, ended = heard(reply.events())
    assert text.strip() == REPLY.strip() == "".join(segments).strip()
    assert ended == list(range(len(segments)))
    assert [part.strip() for part in segments] == [data.decode() for data in sounds]
    assert reply.conversation.failure is None


def slowly(seconds, count):
    """A reply of so many words, each of which takes time, and what speaks once all are there."""
    are_written = threading.Event()

    def read():
        for word in list(words())[:count]:
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
        told += [time.monotonic() - begun for event in events if isinstance(event, TextDelta)]
    assert len(told) <= told[-1] / TEXT_SECONDS + 3 < len(list(words())) / 2


@pytest.fixture
def pauses(monkeypatch):
    """The pauses in reading the text, none of which is made."""
    made = []
    clock = SimpleNamespace(sleep=made.append, monotonic=time.monotonic)
    monkeypatch.setattr("parley.conversation.spoken_reply.time", clock)
    return made


def test_text_is_read_at_once_while_a_lane_waits_for_it(pauses):
    """Only while every lane speaks may deltas gather before they are read."""
    read, _ = slowly(0.01, 40)
    heard(reply_of(read, sound).events())
    assert pauses == []


def test_deltas_gather_while_every_lane_speaks(pauses):
    """Reading several of them together costs less; no pause is longer than text may wait."""
    heard(reply_of(*slowly(0.01, 40)).events())
    assert 0.05 <= min(pauses) <= max(pauses) <= TEXT_SECONDS


def test_sentences_that_wait_are_merged():
    """One call for several sentences ends sooner than one for each."""
    _, segments, _, _ = heard(reply_of(*slowly(0, None)).events())
    assert len(segments) < len(SENTENCES)
    assert all(len(part) <= 200 for part in segments)


def test_silence_is_told(monkeypatch):
    """Whoever serves the events can look at the caller meanwhile."""
    monkeypatch.setattr("parley.conversation.spoken_reply.LOOK_SECONDS", 0.02)

    def slow():
        time.sleep(0.2)
        yield SENTENCES[0]

    events = list(reply_of(slow, sound).events())
    assert events.count([]) >= 3


CODE = "```py\nx = 1\n```"


@pytest.mark.parametrize("code", [CODE, f"Look at this code of mine:\n\n{CODE}\n\nThat is all."])
def test_a_segment_without_words_is_text_and_no_sound(code):
    """An upstream would refuse to speak nothing."""
    spoken = []

    def speak(text):
        spoken.append(text)
        yield text.encode()

    reply = reply_of(lambda: generator(code), speak, 1)
    text, segments, _, ended = heard(reply.events())
    assert text == "".join(segments) == code
    assert len(ended) == len(spoken)
    assert "x = 1" not in " ".join(spoken)
    assert all(spoken)
    assert reply.conversation.failure is None
