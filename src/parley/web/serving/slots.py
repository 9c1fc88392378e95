"""The slots of a process: a conversation takes one, and it is released once, whatever happens."""

from dataclasses import dataclass, field

from parley.memory import Budget, Usage

SLOT = "parley.slot"  # The key of the request's slot in its WSGI environment.
RETRY_SECONDS = 2  # When a refused caller may try again: a conversation takes about as long.


@dataclass
class Slots:
    """How many conversations may still begin (gunicorn.conf.py), and the memory that all share."""

    free: int  # Plain: a Semaphore would let others run, and hundreds wait.
    budget: Budget = field(default_factory=Budget)


class Slot:
    """The right of one request to one of the process's slots, and what it holds in memory."""

    def __init__(self, slots: Slots) -> None:
        self._slots, self._is_taken = slots, False
        # What its form holds, which is most of what many hold, is counted apart.
        self.usage, self.uploads = Usage(slots.budget), Usage(slots.budget)

    def take(self) -> bool:
        """Whether the request holds a slot; it takes one now where a slot and memory are free."""
        if not self._is_taken and self._slots.free > 0 and not self._slots.budget.is_exhausted:
            self._slots.free -= 1
            self._is_taken = True
        return self._is_taken

    def close(self) -> None:
        """Release the slot, if the request holds one, and the memory."""
        self.usage.release()
        self.uploads.release()
        self._slots.free += self._is_taken
        self._is_taken = False
