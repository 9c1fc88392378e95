"""The slots of a process: a conversation takes one, and it is released once, whatever happens."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from parley.memory import Budget, Usage

SLOT = "parley.slot"  # The key of the request's slot in its WSGI environment.
RETRY_SECONDS = 2
"""When a refused caller may try again: a conversation takes about as long, and frees its slot."""


class Slots:
    """How many conversations the process may still begin: by `Settings.capacity`, and by memory."""

    def __init__(self, capacity: int, budget: Budget | None = None) -> None:
        self._free = capacity
        self.budget = budget or Budget()

    def limit(self, most: int) -> None:
        """Leave at most `most` slots, none taken yet: as many as gunicorn.conf.py has files for."""
        self._free = min(self._free, most)

    def take(self) -> bool:
        """Whether a slot was free, and memory; it is taken now."""
        taken = self._free > 0 and not self.budget.is_exhausted
        self._free -= taken
        return taken

    def release(self) -> None:
        """Give back a slot that was taken; a Semaphore would let others run, and hundreds wait."""
        self._free += 1


class Slot:
    """The right of one request to one of the process's slots, and what it holds in memory."""

    def __init__(self, slots: Slots) -> None:
        self._slots, self._is_taken = slots, False
        # What its form holds, which is most of what many hold, is counted apart.
        self.usage, self.uploads = Usage(slots.budget), Usage(slots.budget)

    def take(self) -> bool:
        """Whether the request holds a slot, taken now or before."""
        self._is_taken = self._is_taken or self._slots.take()
        return self._is_taken

    def release(self) -> None:
        """Release the slot, if the request holds one, and the memory."""
        self.usage.release()
        self.uploads.release()
        if self._is_taken:
            self._is_taken = False
            self._slots.release()


def with_slot(
    app: Callable[..., Any], slots: Slots, environ: dict[str, Any], start_response: Any
) -> Iterator[bytes]:
    """A WSGI application's answer to a request, which has a Slot; nothing else releases it."""
    slot = environ[SLOT] = Slot(slots)
    try:
        with closing(app(environ, start_response)) as body:
            for piece in body:  # noqa: UP028  # `yield from` would close it a second time.
                yield piece
    finally:
        slot.release()
