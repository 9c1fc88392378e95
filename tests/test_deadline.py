"""A deadline says how long to wait, and ends what waits for longer."""

import threading
import time

import gevent
import pytest

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded, UpstreamTimeout


def test_what_is_left_shrinks_to_an_error(clock):
    """It is always more than nothing: a timeout of 0 means something else to a socket."""
    deadline = Deadline.after(2)
    assert deadline.require_time() == 2
    clock[0] += 1.5
    assert deadline.require_time() == 0.5
    clock[0] += 0.5
    for begin in (deadline.require_time, lambda: deadline.sleep(1)):
        with pytest.raises(DeadlineExceeded):
            begin()


def test_silence_bounds_each_wait_alone(clock):
    """A stream may go on for long, as long as no single wait does."""
    deadline = Deadline(clock[0] + 600, longest_wait=28)
    for _ in range(2):
        assert deadline.require_time() == deadline.seconds_left() == 28
        clock[0] += 299
    assert deadline.require_time() == deadline.seconds_left() == 2


def test_until_it_is_extended_it_bounds_all_waits_together(clock):
    """However short each of them is; from then on each wait may take as long as all could."""
    deadline = Deadline.after(3)
    clock[0] += 2
    assert deadline.require_time() == 1
    deadline.extend(600)
    for _ in range(2):
        assert deadline.require_time() == 3
        clock[0] += 3


@pytest.mark.parametrize("work", [lambda: time.sleep(5), lambda: Deadline.after(9).sleep(5)])
def test_a_wait_ends_at_its_moment(work):
    """With its own error, which nothing within it can take for one of a library."""
    began = time.monotonic()

    def patient() -> None:
        for _ in range(3):
            try:
                work()
            except Exception:  # noqa: S112  # As libraries do, and try again.
                continue

    with pytest.raises(UpstreamTimeout), Deadline.after(0.1, UpstreamTimeout).wait():
        patient()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(("outer", "inner"), [(0.1, 9), (9, 0.1)])
def test_of_two_waits_the_sooner_says_which_error_it_is(outer, inner):
    """Connecting has a limit of its own, within the call's."""
    error = DeadlineExceeded if outer < inner else UpstreamTimeout
    with (
        pytest.raises(error),
        Deadline.after(outer).wait(),
        Deadline.after(inner, UpstreamTimeout).wait(),
    ):
        time.sleep(5)


def test_what_ends_in_time_is_not_ended_later():
    """A timer that is left behind would end whatever the greenlet does next."""
    with Deadline.after(0.05).wait():
        pass
    with pytest.raises(ZeroDivisionError), Deadline.after(0.05).wait():
        raise ZeroDivisionError
    time.sleep(0.1)


def test_a_killed_greenlet_ends_as_one():
    """Its end is no error that somebody would be told of, or that would be tried again."""
    begun = threading.Event()

    def work() -> None:
        with Deadline.after(9).wait():
            begun.set()
            time.sleep(5)

    working = gevent.spawn(work)
    begun.wait(5)
    working.kill()
    assert isinstance(working.value, gevent.GreenletExit)
