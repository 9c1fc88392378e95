"""What the log may say: never a key, never what was said."""

import logging
import sys
import traceback

from logfmter import Logfmter

log = logging.getLogger("parley")


def to_stdout(level: str) -> None:
    """Write what is logged here from `level` up to standard output, each in one logfmt line.

    Other libraries' lines are left out, and exceptions' texts too: either may quote a key.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Logfmter(ignored_keys=["exc_info"]))
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False


def unexpected(error: BaseException, stage: str) -> None:
    """Log an error of our own: its kind and where it arose, not its text, which may quote a key."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error).__name__
    log.error({"code": "internal_error", "stage": stage, "kind": kind, "frames": frames})
