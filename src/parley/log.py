"""The lines of the log; none holds a key, or a text that was spoken."""

import errno
import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from logfmter import Logfmter

from parley.errors import HeldTooLong

log = logging.getLogger("parley")

MOST_FRAMES = 30  # Of an error's calls, the innermost ones.
UNQUOTED = re.compile(r"[!#-<>-~]*")  # ASCII without spaces, quotes and equals signs.


class Formatter(Logfmter):
    """Logfmter, which would look at each text 33 times, and at what Python notes of a record."""

    @classmethod
    def format_string(cls, value: str) -> str:
        """The text, in quotes where it needs them."""
        return value if UNQUOTED.fullmatch(value) else super().format_string(value)

    def format(self, record: logging.LogRecord) -> str:
        """The level and the event, which is all in the message: numbers, texts and None."""
        event: Any = record.msg if isinstance(record.msg, dict) else {"msg": record.getMessage()}
        told = {"at": record.levelname, **event}.items()
        return " ".join(f"{k}={self.format_string('' if x is None else str(x))}" for k, x in told)


def write_to(stream: TextIO, level: str) -> None:
    """Write our events of `level` or above as lines of logfmt, without what may quote a key."""
    # It quotes an upstream's broken headers, where gunicorn's --log-config-json has all lines.
    logging.getLogger("urllib3").propagate = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter())
    log.handlers = [handler]  # Instead of an earlier call's.
    log.setLevel(level)
    log.propagate = False


def warn(event: str, **fields: object) -> None:
    """Warn of an event that docs/log.md describes; no field holds a key, or what was said."""
    log.warning({"event": event, **fields})


def conversation(fields: Mapping[str, object], *, cut: bool) -> None:
    """Log a conversation; warn where the caller disconnected or stalled before its answer's end."""
    if cut:
        warn("answer_cut", **fields)
    else:
        log.info(fields)


def held(seconds: float, places: Sequence[str]) -> None:
    """Log that a conversation held the worker for that much processor time, and its calls."""
    fields = {"event": "worker_held", "code": "internal_error", "seconds": round(seconds, 2)}
    log.error({**fields, "place": places[0], "called_from": " < ".join(places[1:])})


def unexpected(error: BaseException, stage: str) -> None:
    """Log an error of our own: its kind and traceback, but no text, which may hold a key."""
    if isinstance(error, HeldTooLong):
        return  # The watchdog has logged it.
    frames = "".join(traceback.format_tb(error.__traceback__, -MOST_FRAMES))
    fields = {"code": "internal_error", "stage": stage, "kind": type(error).__name__}
    if isinstance(error, OSError):  # It tells a full disk (ENOSPC) from too many files (EMFILE).
        fields["errno"] = errno.errorcode.get(error.errno or 0, "")
    log.error({**fields, "frames": frames})
