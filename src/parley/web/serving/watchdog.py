"""The watchdog: it ends the conversation that holds a worker, before gunicorn kills the worker."""

import atexit
import signal
import time
import traceback
from types import FrameType
from typing import Any
from weakref import ref

import gevent

from parley import errors, log

HELD_SECONDS = 1.0  # How much processor time a conversation may use at a stretch.
LOOK_SECONDS = 0.25  # How often the watchdog looks, in the process's own processor time.
SHARED = ("gevent", "logging", "queue", "threading")
"""The packages in which nothing is raised: a lock that all share could stay taken."""
PLACES = 8  # How many of the innermost calls are logged.
MARK = "parley.conversation"  # In a greenlet's `spawn_tree_locals`: it may be ended.


class Watchdog:
    """Looks at which greenlet runs, each time that the process has used LOOK_SECONDS.

    One has held the worker if it, and not the hub, runs at every look for HELD_SECONDS of the time
    of this thread. A single call in C is noticed when it returns.
    """

    _seen: Any = None

    def start(self) -> None:
        """Watch this process, of which this is the main thread; a fork has no timer."""
        self._loop = gevent.get_hub().loop
        signal.signal(signal.SIGPROF, self._look)
        signal.siginterrupt(signal.SIGPROF, False)
        # gunicorn has each signal noted in a pipe that its gevent worker never reads.
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
        # At its end Python forgets the handler, and the signal would kill the process.
        atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_PROF, LOOK_SECONDS, LOOK_SECONDS)

    def _look(self, _: int, frame: FrameType | None) -> None:
        """Note which greenlet runs; raise HeldTooLong in it if it has held the worker."""
        current, now = gevent.getcurrent(), time.thread_time()
        if self._seen is None or self._seen() is not current:
            # Not the greenlet itself, which would keep a conversation's keys in memory.
            self._seen, self._since = ref(current), now
            # The hub does this as soon as somebody lets it run. A turn of its loop comes later:
            # up to 50 greenlets that merely let others run have theirs before.
            self._loop.run_callback(setattr, self, "_seen", None)
            return
        held = now - self._since
        if held < HELD_SECONDS or frame is None or not _may_end(current, frame):
            return
        self._seen = None
        log.held(held, [_place(each) for each in traceback.extract_stack(frame, PLACES)[::-1]])
        raise errors.HeldTooLong()


def _may_end(greenlet: Any, frame: FrameType) -> bool:
    """Whether a greenlet is a conversation's, not gevent's or gunicorn's own, and may end there."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return MARK in getattr(greenlet, "spawn_tree_locals", ()) and package not in SHARED


def _place(frame: traceback.FrameSummary) -> str:
    folder, _, name = frame.filename.rpartition("/")
    return f"{folder.rpartition('/')[2]}/{name}:{frame.lineno} {frame.name}"
