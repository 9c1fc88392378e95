"""The state of one conversation: what was heard, thought and spoken, and the first failure."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from parley import log
from parley.errors import ConversationError, InternalError, RequestError
from parley.memory import Spool
from parley.models.registry import Model
from parley.upstream.calls import AttemptRecord


@dataclass
class Conversation:
    """What there is so far. What there is not yet, or never will be, is empty, or None."""

    models_used: dict[str, Model]  # By stage; a fallback only once it has answered.
    transcript: str = field(default="", repr=False)
    reply: str = field(default="", repr=False)
    speech: Spool | None = field(default=None, repr=False)
    failure: ConversationError | None = None  # The first failure. Later ones are not told.
    seconds: dict[str, float] = field(default_factory=dict)  # How long each stage took so far.
    attempts: Sequence[AttemptRecord] = ()  # One of each attempt at each call to the upstream.

    @property
    def success(self) -> bool:
        """Whether nothing failed."""
        return self.failure is None

    @property
    def errors(self) -> list[ConversationError]:
        """The first failure, if any."""
        return [self.failure] if self.failure else []

    def note(self, failure: ConversationError) -> None:
        """Keep the failure, unless there was one before: the first failure stands."""
        self.failure = self.failure or failure

    @contextmanager
    def up_to_a_failure(self) -> Iterator[None]:
        """A block that ends at its first ConversationError, which is noted."""
        try:
            yield
        except ConversationError as failure:
            self.note(failure)


def failure_of(error: BaseException, stage: str) -> ConversationError:
    """The error, which names its stage now; one that nobody foresaw is logged, and is our own."""
    if not isinstance(error, ConversationError):
        log.unexpected(error, stage)
        error = InternalError()
    if not isinstance(error, RequestError):  # That is the request's, whichever stage found it.
        error.stage = stage
    return error
