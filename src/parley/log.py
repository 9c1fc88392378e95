"""What the log may say: never a key, never what was said."""

import logging
import traceback

log = logging.getLogger("parley")


def model_ends(stage: str, name: str, ends: object, then: str) -> None:
    """Warn, at the start, of a model that the upstream will soon refuse."""
    log.warning("model_ends stage=%s model=%s date=%s then=%s", stage, name, ends, then)


def model_replaced(stage: str, name: str, by: str) -> None:
    """Log that the upstream does not know a model, and which one is tried instead."""
    log.warning("model_replaced stage=%s model=%s by=%s", stage, name, by)


def reworded(name: str) -> None:
    """Log that a voice did not say what it was given, but neither of the two texts."""
    log.warning("speech_reworded stage=tts model=%s", name)


def unexpected(error: BaseException, stage: str) -> None:
    """Log an error of our own: its kind and where it arose, not its text, which may quote a key."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("internal_error stage=%s kind=%s\n%s", stage, type(error).__name__, frames)
