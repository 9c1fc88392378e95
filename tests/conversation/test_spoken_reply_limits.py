"""Failures, slow readers and callers who leave end or slow a spoken reply as they should."""

import threading
import time

import pytest
from testing.spoken_replies import REPLY, SENTENCES, generator, heard, reply_of, sound, words

from parley.errors import UpstreamUnavailable


@pytest.mark.parametrize(
    ("text", "pieces"),
    [(lambda: generator(SENTENCES[0]), 1000), (words, 1)],
    ids=["one long segment", "many short ones"],
)
def test_a_slow_reader_slows_the_upstream(text, pieces):
    """Sound is not gathered for someone who does not read it: over all segments it is bounded."""
    made = []

    def speak(segment):
        for _ in range(pieces):
            made.append(segment)
            yield bytes(64 * 1024)

    reply = reply_of(text, speak)
    events = reply.events()
    for _ in range(3):
        next(events)
    time.sleep(0.3)
    assert len(made) < 10
    reply.close()


def test_a_slow_reader_slows_the_text():
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


def test_a_long_delta_lets_others_run(monkeypatch):
    """The reading goes on for BUSY_SECONDS at most, here for each segment's length."""
    rests = []
    monkeypatch.setattr("parley.conversation.spoken_reply.let_others_run", lambda: rests.append(1))
    monkeypatch.setattr("parley.conversation.spoken_reply.BUSY_SECONDS", 0)
    text, _, _, _ = heard(reply_of(lambda: generator(REPLY * 8), sound).events())
    assert text == (REPLY * 8).rstrip()
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
    heard(reply.events())
    assert reply.conversation.failure.stage == "tts"
    assert time.monotonic() - begun < 15
