"""Each event that the log can contain; none holds a key, or a text that was spoken."""

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

    @classmethod
    def get_extra(cls, record: logging.LogRecord) -> dict[str, Any]:
        """Nothing: an event is all in its message."""
        return {}


def write_to(stream: TextIO, level: str) -> None:
    """Write our events of `level` or above as lines of logfmt, without what may quote a key."""
    # It quotes an upstream's broken headers, where gunicorn's --log-config-json has all lines.
    logging.getLogger("urllib3").propagate = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter(ignored_keys=["exc_info"]))
    log.handlers = [handler]  # Instead of an earlier call's.
    log.setLevel(level)
    log.propagate = False


def model_ends(stage: str, name: str, ends: object, then: str) -> None:
    """Warn that the upstream will soon shut a model down, and which model follows it."""
    log.warning({"event": "model_ends", "stage": stage, "model": name, "date": ends, "then": then})


def model_replaced(stage: str, name: str, by: str) -> None:
    """Warn that the upstream does not know a model, and which one answered instead."""
    log.warning({"event": "model_replaced", "stage": stage, "model": name, "by": by})


def reworded(name: str) -> None:
    """Warn that a voice did not say the text that it was given; neither text is logged."""
    log.warning({"event": "speech_reworded", "stage": "tts", "model": name})


def conversation(fields: Mapping[str, object], *, cut: bool) -> None:
    """Log a conversation; warn where the caller disconnected or stalled before its answer's end."""
    if cut:
        log.warning({"event": "answer_cut", **fields})
    else:
        log.info(fields)


def lines_lost(count: int) -> str:
    """The line that tells how many could not be written; its thread must not use a logger."""
    fields = {"at": "WARNING", "event": "log_lines_lost", "count": count}
    return " ".join(f"{name}={value}" for name, value in fields.items()) + "\n"


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
