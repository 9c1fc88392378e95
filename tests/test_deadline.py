"""A deadline says how long to wait, and can be cancelled from elsewhere."""

import math
import threading
import time

import pytest

from parley.deadline import SLICE_SECONDS, Cancellation, Deadline
from parley.errors import CallerDisconnected, DeadlineExceeded, UpstreamTimeout


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock, which a test sets: [seconds]."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_what_is_left_shrinks_to_an_error(clock):
    """It is always more than nothing: a timeout of 0 means something else to a socket."""
    deadline = Deadline.after(2)
    assert deadline.left() == 2
    clock[0] += 1.5
    assert deadline.left() == 0.5
    clock[0] += 0.5
    with pytest.raises(DeadlineExceeded):
        deadline.left()


def test_silence_bounds_each_wait_alone(clock):
    """A stream may go on for long, as long as no single wait does."""
    deadline = Deadline(clock[0] + 600, silence=28)
    assert deadline.left() == 28
    wait = deadline.for_one_wait()
    clock[0] += 28
    assert deadline.left() == 28
    with pytest.raises(DeadlineExceeded):
        wait.left()
    clock[0] += 570
    assert deadline.left() == deadline.for_one_wait().left() == 2


def test_until_it_is_extended_it_bounds_all_waits_together(clock):
    """However short each of them is; from then on each wait may take as long as all could."""
    deadline = Deadline.after(3)
    clock[0] += 2
    wait = deadline.for_one_wait()
    assert deadline.within(5, UpstreamTimeout) is deadline
    assert deadline.left() == wait.left() == 1
    clock[0] += 1
    for each in (deadline, wait):
        with pytest.raises(DeadlineExceeded):
            each.left()
    deadline.extend(600)
    for _ in range(2):
        wait = deadline.for_one_wait()
        assert deadline.left() == wait.left() == 3
        clock[0] += 3
        with pytest.raises(DeadlineExceeded):
            wait.left()


def test_a_window_is_the_sooner_of_two_moments(clock):
    """Whichever comes first says which error it is."""
    deadline = Deadline.after(10)
    window = deadline.within(5, UpstreamTimeout)
    assert window.left() == 5
    assert deadline.within(20, UpstreamTimeout) is deadline
    clock[0] += 5
    with pytest.raises(UpstreamTimeout):
        window.left()
    assert deadline.left() == 5


@pytest.mark.parametrize("derive", ["itself", "within", "for_one_wait"])
def test_who_shares_a_cancellation_is_cancelled(derive):
    """Its error comes before the deadline's own, from whatever was made of the deadline before."""
    cancellation = Cancellation()
    deadline = Deadline(math.inf, silence=5, cancellation=cancellation)
    derived = {
        "itself": deadline,
        "within": deadline.within(1, UpstreamTimeout),
        "for_one_wait": deadline.for_one_wait(),
    }[derive]
    assert derived.slice() == SLICE_SECONDS
    cancellation.cancel(CallerDisconnected)
    cancellation.cancel(UpstreamTimeout)  # Too late: it is cancelled already.
    for wait in (derived.left, derived.slice):
        with pytest.raises(CallerDisconnected):
            wait()


def test_who_waits_looks_now_and_then(clock):
    """What is seen ends the wait; between two looks, waiting costs nothing more."""
    looks = []

    def look():
        looks.append(clock[0])
        if len(looks) == 3:
            raise CallerDisconnected()

    deadline = Deadline(math.inf, silence=5, cancellation=Cancellation(look)).for_one_wait()
    for _ in range(8):
        deadline.slice()
        clock[0] += SLICE_SECONDS / 4
    assert len(looks) == 2
    with pytest.raises(CallerDisconnected):
        deadline.slice()


def test_what_cannot_be_cancelled_waits_at_one_go(clock):
    """Slices cost a little, and only who can be cancelled pays for them."""
    assert Deadline.after(20).slice() == 20
    assert Deadline.after(20).for_one_wait().slice() == 20


def test_another_thread_may_cancel():
    """Each raises an error of its own: two threads that share one would share its traceback."""
    cancellation = Cancellation()
    deadline = Deadline(math.inf, cancellation=cancellation)
    cancelling = threading.Thread(target=cancellation.cancel, args=(CallerDisconnected,))
    cancelling.start()
    cancelling.join()
    raised = []
    for _ in range(2):
        with pytest.raises(CallerDisconnected) as error:
            deadline.left()
        raised.append(error.value)
    assert raised[0] is not raised[1]
