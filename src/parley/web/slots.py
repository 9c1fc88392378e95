"""A conversation's slot: a request takes one, and it is released once, whatever happens."""

from collections.abc import Callable, Iterable, Iterator
from threading import Semaphore
from typing import Any

WSGI = Callable[..., Iterable[bytes]]
SLOT = "parley.slot"
"""The key of the request's slot in its WSGI environment."""


class Slot:
    """The right of one request to one of the process's slots."""

    def __init__(self, slots: Semaphore) -> None:
        """Hold no slot yet."""
        self._slots = slots
        self._held = False

    def take(self) -> bool:
        """Whether the request holds a slot, taken now or before."""
        self._held = self._held or self._slots.acquire(blocking=False)
        return self._held

    def release(self) -> None:
        """Release the slot, if the request holds one."""
        if self._held:
            self._held = False
            self._slots.release()


def release_after_answer(app: WSGI, slots: Semaphore) -> WSGI:
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
