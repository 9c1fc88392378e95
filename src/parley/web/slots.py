"""The slots of a process: a conversation takes one, and it is released once, whatever happens."""

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Any

WSGI = Callable[..., Iterable[bytes]]
SLOT = "parley.slot"
"""The key of the request's slot in its WSGI environment."""


class Slots:
    """How many conversations the process may still begin.

    A Semaphore would do under threads. Under gevent, its release lets other greenlets run while it
    holds its lock: with a thousand requests in flight, hundreds waited there with their slots.
    """

    def __init__(self, capacity: int) -> None:
        """All slots are free."""
        self._free = capacity
        self._lock = Lock()

    def take(self) -> bool:
        """Whether a slot was free; it is taken now."""
        with self._lock:
            taken = self._free > 0
            self._free -= taken
        return taken

    def release(self) -> None:
        """Give back a slot that was taken."""
        with self._lock:
            self._free += 1


class Slot:
    """The right of one request to one of the process's slots."""

    def __init__(self, slots: Slots) -> None:
        """Hold no slot yet."""
        self._slots = slots
        self._held = False

    def take(self) -> bool:
        """Whether the request holds a slot, taken now or before."""
        self._held = self._held or self._slots.take()
        return self._held

    def release(self) -> None:
        """Release the slot, if the request holds one."""
        if self._held:
            self._held = False
            self._slots.release()


def release_after_answer(app: WSGI, slots: Slots) -> WSGI:
    """The WSGI application, which gives each request a Slot and releases it after the answer.

    Nothing else releases slots.
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        slot = environ[SLOT] = Slot(slots)
        try:
            return _Answer(app(environ, start_response), slot)
        except BaseException:
            slot.release()
            raise

    return call


class _Answer:
    """An answer's body, which releases the slot when the server closes it."""

    def __init__(self, body: Iterable[bytes], slot: Slot) -> None:
        self._body = body
        self._slot = slot

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            self._slot.release()
