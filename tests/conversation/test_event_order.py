"""What waits to be told is told in order, soon, and in few events."""

import math

import pytest

from parley.conversation import event_order
from parley.conversation.event_order import PIECE_BYTES, Backlog, SoundPiece, SpokenSegment
from parley.conversation.segments import Segment
from parley.memory import Budget, Usage


@pytest.fixture
def backlog(clock):
    return Backlog(Usage())


def take(backlog):
    return backlog.take(all_text=False)


def begun(backlog, text="One.", sound=b""):
    segment = backlog.add_segment(Segment(text, text))
    backlog.add_sound(segment, sound)
    return segment


def test_all_deltas_but_the_first_and_the_last_become_one_event(backlog, clock):
    """They wait for each other, but no longer than TEXT_SECONDS after the event before."""
    assert backlog.add_text("One")
    assert backlog.text_due() <= clock[0]
    assert take(backlog) == ["One"]
    assert backlog.text_due() == math.inf
    assert backlog.add_text(", two")
    assert not backlog.add_text(", three.")
    assert take(backlog) == []
    assert backlog.text_due() == pytest.approx(clock[0] + event_order.TEXT_SECONDS)
    clock[0] = backlog.text_due()
    assert take(backlog) == [", two, three."]
    backlog.add_text("!")
    assert backlog.take(all_text=True) == ["!"]
    assert not backlog


def test_sound_waits_for_nothing_and_takes_text_along(backlog):
    """The text comes first: it may be what the segment covers."""
    backlog.add_text("On")
    take(backlog)
    backlog.add_text("e.")
    begun(backlog, sound=b"sound")
    text, segment, sound = take(backlog)
    assert (text, sound) == ("e.", SoundPiece(0, b"sound", last=False))
    assert isinstance(segment, SpokenSegment)


def test_sound_that_waits_becomes_one_piece_of_a_bounded_size(backlog):
    """What a later segment has gathered is told in few events once its turn comes."""
    first, second = begun(backlog, sound=b"a"), begun(backlog, "Two.")
    for _ in range(2 * PIECE_BYTES // 1000):
        backlog.add_sound(second, bytes(1000))
    second.is_finished = True
    assert [event.number for event in take(backlog)] == [0, 0]
    assert take(backlog) == []  # The first may go on.
    first.is_finished = True
    assert take(backlog) == [SoundPiece(0, b"", last=True)]
    [_, *pieces] = [*take(backlog), *take(backlog)]
    rest = 2 * PIECE_BYTES // 1000 * 1000 - PIECE_BYTES
    assert [(len(p.data), p.last) for p in pieces] == [(PIECE_BYTES, False), (rest, True)]
    assert not backlog


def test_less_sound_waits_while_memory_is_scarce():
    """Whoever speaks waits until it is told; the segment whose turn it is goes on."""
    others = Usage(Budget(1000))
    backlog = Backlog(Usage(others.budget))
    first, second = begun(backlog), begun(backlog, "Two.", bytes(event_order.SCARCE_BYTES))
    assert backlog.has_room_for(second)
    others.add(1_000_000)
    assert not backlog.has_room_for(second)
    assert backlog.has_room_for(first)


def test_what_waits_is_counted_until_it_is_told(clock):
    """Many short segments count more than their sound; what is forgotten counts no longer."""
    usage = Usage()
    backlog = Backlog(usage)
    for number in range(300):
        last = begun(backlog, str(number), b"a")
        last.is_finished = True
    assert not backlog.has_room_for(last)
    assert usage.budget.held > 150_000
    while take(backlog):
        pass
    assert usage.budget.held == 0
    begun(backlog)
    assert backlog.has_room_for(begun(backlog))
    begun(backlog, sound=bytes(500_000))
    assert usage.budget.held > 0
    backlog.clear()
    assert usage.budget.held == 0
    backlog.add_text("a" * 200_000)
    take(backlog)
    assert usage.size > 400_000  # As `done` repeats it.
