"""What the log may say: never a key, never what was said."""

import logging
import traceback
from collections.abc import Mapping
from typing import TextIO

from logfmter import Logfmter

log = logging.getLogger("parley")


def write_to(stream: TextIO, level: str) -> None:
    """Write what is logged here from `level` up to `stream`, each in one logfmt line.

    Other libraries' lines are left out, and exceptions' texts too: either may quote a key.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Logfmter(ignored_keys=["exc_info"]))
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False


def model_ends(stage: str, name: str, ends: object, then: str) -> None:
    """Warn of a model that the upstream will soon refuse."""
    log.warning({"event": "model_ends", "stage": stage, "model": name, "date": ends, "then": then})


def model_replaced(stage: str, name: str, by: str) -> None:
    """Log that the upstream does not know a model, and which one answered instead."""
    log.warning({"event": "model_replaced", "stage": stage, "model": name, "by": by})


def reworded(name: str) -> None:
    """Log that a voice did not say what it was given, but neither of the two texts."""
    log.warning({"event": "speech_reworded", "stage": "tts", "model": name})


def conversation(fields: Mapping[str, object], *, cut: bool) -> None:
    """Log a conversation; warn where the caller disconnected or stalled before its answer's end."""
    if cut:
        log.warning({"event": "answer_cut", **fields})
    else:
        log.info(fields)


def unexpected(error: BaseException, stage: str) -> None:
    """Log an error of our own: its kind and where it arose, not its text, which may quote a key."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error).__name__
    log.error({"code": "internal_error", "stage": stage, "kind": kind, "frames": frames})
