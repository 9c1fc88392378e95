"""What the log may say: never a key, never what was said."""

import logging
import traceback

log = logging.getLogger("parley")


def unexpected(error: BaseException, stage: str) -> None:
    """Log an error of our own: its kind and where it arose, not its text, which may quote a key."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("internal_error stage=%s kind=%s\n%s", stage, type(error).__name__, frames)
