"""Streams that nobody waits for: a thread writes to pipes, where the whole process would wait."""

import atexit
import io
import os
import time
from typing import Any, TextIO, cast

from gevent.monkey import get_original

MOST_LINES = 1000  # This many may wait, 8 MB at most; further ones are lost, and counted.
LINE_BYTES = 8 * 1024  # The longest line: what is longer is cut.
CUT = "…\n".encode()
LINES_LOST = b"at=WARNING event=log_lines_lost count=%d\n"  # The thread must not use a logger.
STOP_SECONDS = 2  # How long a process that ends writes what still waits.
RETRY_SECONDS = 0.05  # Between two looks, and where a descriptor has no room and does not block.


class LogWriter:
    """The queue of a process, and its thread. A fork has its own, and copies no lock."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.drain)

    def _reset(self) -> None:
        """Begin with nothing: what waited at a fork is the parent's, which writes it."""
        # A thread of gevent's would be a greenlet, and its queue would wait for the hub.
        self._lines: Any = get_original("queue", "SimpleQueue")()
        self._has_thread = False
        self._put = self._written = self._lost = self._failed = self._told = 0

    def put(self, descriptor: int, line: bytes) -> None:
        """Have a line written to that file descriptor, unless MOST_LINES wait already."""
        if self._put - self._written >= MOST_LINES:
            self._lost += 1
            return
        if not self._has_thread:
            try:
                get_original("_thread", "start_new_thread")(self._write_lines, (self._lines,))
            except RuntimeError:  # The platform allows no more: a line that waits beats none.
                _write(descriptor, line)
                return
            self._has_thread = True
        self._put += 1
        self._lines.put((descriptor, line))

    def drain(self) -> None:
        """Wait until all is written, but no longer than STOP_SECONDS."""
        until = time.monotonic() + STOP_SECONDS
        while self._written < self._put and time.monotonic() < until:
            get_original("time", "sleep")(RETRY_SECONDS / 5)

    def _write_lines(self, lines: Any) -> None:
        """Write each line; tell of the lost ones once there is room for half of MOST_LINES."""
        while True:
            descriptor, line = lines.get()
            is_written = _write(descriptor, line)
            self._failed += not is_written
            has_room = is_written and lines.qsize() <= MOST_LINES // 2
            if has_room and (count := self._lost + self._failed - self._told):
                self._told += count * _write(descriptor, LINES_LOST % count)
            self._written += 1
            if lines.empty():
                get_original("time", "sleep")(RETRY_SECONDS)


def _write(descriptor: int, line: bytes) -> bool:
    """Whether the whole line could be written: its reader is there, and the disk has room."""
    rest = memoryview(line)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            get_original("time", "sleep")(RETRY_SECONDS)
        except OSError:
            return False
    return True


class LogStream(io.TextIOBase):
    """A stream of text, such as stdout, to which writing takes no time and never fails."""

    encoding = "utf-8"

    def __init__(self, stream: TextIO, writer: LogWriter) -> None:
        stream.flush()
        self._descriptor, self._writer = stream.fileno(), writer

    def fileno(self) -> int:
        """The file descriptor."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Have the text written, of which LINE_BYTES are kept; return its length."""
        line = text.encode(errors="backslashreplace")
        if len(line) > LINE_BYTES:
            line = line[: LINE_BYTES - len(CUT)].decode(errors="ignore").encode() + CUT
        self._writer.put(self._descriptor, line)
        return len(text)


writer = LogWriter()  # The process's own.


def unblocking(stream: TextIO) -> TextIO:
    """The same stream, to which writing takes no time; None, which is a closed one, stays None."""
    is_done = stream is None or isinstance(stream, LogStream)
    return stream if is_done else cast(TextIO, LogStream(stream, writer))
