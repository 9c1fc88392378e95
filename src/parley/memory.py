"""What the conversations of a process hold in memory: one budget, and files that obey it."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO

from parley.deadline import Deadline, let_others_run

BUDGET_BYTES = 64 * 1024 * 1024  # Of a process: half of `worker_count.WORKER_BYTES`.
UNCOUNTED_BYTES = 128 * 1024  # What each Usage holds uncounted: most hold less (docs/scaling.md).
PIECE_BYTES = 64 * 1024  # How much is moved to disk at once; others run in between.
WRITES_AT_ONCE = 16  # After so many writes to memory others run: a piece may be a byte long.
WAIT_SECONDS = 0.05  # How often a long answer that waits for room looks for it.
ESCAPED = 6  # The bytes of a character in JSON where it is not ASCII (RFC 8259, 7).


@dataclass
class Budget:
    """The bytes that all conversations may hold, beyond UNCOUNTED_BYTES of each Usage."""

    size: int = BUDGET_BYTES
    held: int = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether no new conversation may begin."""
        return self.held >= self.size

    @property
    def has_room_for_speech(self) -> bool:
        """Whether more speech may be held: of half the budget, so that slow readers leave some."""
        return self.held < self.size // 2


@dataclass(eq=False)
class Usage:
    """Counts what a part of a request holds, until `release`: its uploads, or all else (`Slot`)."""

    budget: Budget = field(default_factory=Budget)
    size: int = 0
    _spools: list["Spool"] = field(default_factory=list)
    _is_released: bool = False

    def add(self, size: int) -> None:
        """Count `size` more bytes, or fewer where it is negative."""
        if not self._is_released:
            before = max(0, self.size - UNCOUNTED_BYTES)
            self.size += size
            self.budget.held += max(0, self.size - UNCOUNTED_BYTES) - before

    def add_text(self, text: str) -> None:
        """Count a text, and its copy in JSON: in the next stage's call, or in the answer."""
        self.add(sys.getsizeof(text) + len(text) * (1 if text.isascii() else ESCAPED))

    def counted(self, pieces: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
        """The pieces of an answer, counted while it is collected; a long one waits for room."""
        size = 0
        try:
            for piece in pieces:
                size += len(piece)
                self.add(len(piece))
                yield piece
                while size > UNCOUNTED_BYTES and self.budget.is_exhausted:
                    deadline.sleep(WAIT_SECONDS)
        finally:
            self.add(-size)

    def spool(self, pieces: Iterable[bytes] = (), *, prefers_disk: bool = False) -> "Spool":
        """A file of the pieces, at its start, closed with the conversation at the latest."""
        spool = Spool(self, prefers_disk)
        self._spools.append(spool)
        with ExitStack() as failed:
            failed.callback(spool.close)
            for piece in pieces:
                spool.write(piece)
            spool.seek(0)
            failed.pop_all()
        return spool

    def release(self) -> None:
        """Close the files, and give all of it back."""
        for spool in self._spools:
            spool.close()
        self.add(-self.size)
        self._is_released = True


class Spool:
    """A binary file in memory, which moves to disk when the budget has no room for more of it.

    One that prefers the disk moves once it and its like hold more than UNCOUNTED_BYTES; one that
    the disk does not take stays in memory until the budget is exhausted.
    """

    def __init__(self, usage: Usage, prefers_disk: bool) -> None:
        self._usage, self._memory, self._prefers_disk = usage, BytesIO(), prefers_disk
        self._file: IO[bytes] = self._memory
        self._refusal: OSError | None = None
        self.size = self._writes = 0
        self.is_on_disk = False

    def write(self, data: bytes) -> None:
        """Write, and let others run. Raises OSError where neither disk nor budget has room."""
        self._writes += 1
        if self.is_on_disk or not self._writes % WRITES_AT_ONCE:
            let_others_run()
        grown = max(0, self._file.tell() + len(data) - self.size)
        held = self._usage.size if self._prefers_disk else self.size
        if not self.is_on_disk and held + grown > UNCOUNTED_BYTES:
            self._find_room()
        if not self.is_on_disk:
            self._usage.add(grown)
        self._file.write(data)
        self.size += grown

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that is left."""
        return self._file.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a position, as in any file. Raises OSError where the disk is full."""
        return self._file.seek(position, whence)

    def close(self) -> None:
        """Give back the memory, or the disk; a second time does nothing."""
        if not self.is_on_disk:
            self._usage.add(-self.size)
        self.size = 0
        with suppress(OSError):  # On a full disk: what is still buffered is written first.
            self._file.close()

    def _find_room(self) -> None:
        """Move to disk where it should be; raise the disk's error if there is no room at all."""
        budget = self._usage.budget
        if self._refusal is None and (self._prefers_disk or not budget.has_room_for_speech):
            try:
                self._move_to_disk()
            except OSError as error:
                self._refusal = error.with_traceback(None)
        if self._refusal and budget.is_exhausted:
            raise self._refusal

    def _move_to_disk(self) -> None:
        with ExitStack() as failed:
            file = failed.enter_context(TemporaryFile())
            with self._memory.getbuffer() as held:
                for start in range(0, len(held), PIECE_BYTES):
                    let_others_run()
                    file.write(held[start : start + PIECE_BYTES])
            file.seek(self._memory.tell())
            failed.pop_all()
        self._usage.add(-self.size)
        self._memory.close()
        self._file, self.is_on_disk = file, True
