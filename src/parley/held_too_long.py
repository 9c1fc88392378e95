"""What ends a greenlet that holds the process, and what to catch for every error of our own."""


class HeldTooLong(BaseException):
    """A conversation used a second of processor time without letting others run.

    The watchdog raises it anywhere in Python code. It is no Exception, so that no loop that goes on
    after an error swallows it. Where it is caught it becomes an InternalError.
    """


ANY_ERROR = (Exception, HeldTooLong)
"""What becomes an InternalError unless it is one of our errors."""
