"""A stream that nobody waits for loses only what cannot be written, and says how much that was."""

import os
from unittest.mock import Mock

from gevent.monkey import saved

from parley.web.serving.log_stream import LINE_BYTES, LogStream, LogWriter


def test_no_line_is_lost_where_no_thread_can_be_had(tmp_path, monkeypatch):
    """It is written at once; later lines find a thread again."""
    written = tmp_path / "log"
    with written.open("w") as log:
        writer = LogWriter()
        stream = LogStream(log, writer)
        with monkeypatch.context() as full:
            full.setitem(saved["_thread"], "start_new_thread", Mock(side_effect=RuntimeError))
            stream.write("first\n")
        assert written.read_text() == "first\n"
        stream.write("second\n")
        writer.drain()
        assert written.read_text() == "first\nsecond\n"


def test_what_is_lost_on_a_full_disk_is_told_once_it_has_room(tmp_path):
    """The thread goes on, and a line that is too long is cut."""
    log = tmp_path / "log"
    with open("/dev/full", "w") as disk, log.open("w") as room:  # noqa: PTH123  # A device.
        writer = LogWriter()
        stream = LogStream(disk, writer)
        for _ in range(3):
            print("lost", file=stream)  # Two writes: the text, and the end of the line.
        writer.drain()
        os.dup2(room.fileno(), disk.fileno())
        stream.write("é" * LINE_BYTES + "\n")
        stream.write("\udc80 last\n")
        writer.drain()
    long, told, last = log.read_text().splitlines()
    assert told == "at=WARNING event=log_lines_lost count=6"
    assert last == "\\udc80 last"
    assert LINE_BYTES - 3 < len(f"{long}\n".encode()) <= LINE_BYTES
    assert long.endswith("é…")
