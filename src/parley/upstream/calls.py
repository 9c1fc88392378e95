"""A call to the upstream: it is tried until it works, and each attempt is recorded."""

import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from parley import errors, log
from parley.deadline import Deadline
from parley.memory import Usage
from parley.models.registry import Model
from parley.upstream.failures import failure_told_by, require_success, with_answer
from parley.wire.bodies import Answer
from parley.wire.transport import Body, Transport, Upstream
from parley.wire.websocket import Channel

BACKOFF = (0.5, 1.0)  # Seconds before the second and the last attempt, as in OpenAI's SDK.
JITTER = 0.25  # By which part a wait may be longer, so that a crowd does not return at once.
Piece = TypeVar("Piece")
Result = TypeVar("Result")


def with_retries(attempt: Callable[[int], Result], deadline: Deadline) -> Result:
    """What `attempt` returns: it is made up to three times, and gets its number, from 1 on.

    Raises the last one's error. Another follows an UpstreamError with `retry`, if there is time
    for the wait, which the upstream may set, and for an attempt of average length after it.
    """
    began, waited = time.monotonic(), 0.0
    for count, backoff in enumerate(BACKOFF, 1):
        try:
            return attempt(count)
        except errors.UpstreamError as error:
            wait = 0.0 if isinstance(error, errors.StaleConnection) else error.retry_after
            if wait is None:
                wait = backoff * random.uniform(1, 1 + JITTER)  # noqa: S311  # No secret.
            usual = (time.monotonic() - began - waited) / count
            if not error.retry or wait + usual >= deadline.seconds_left():
                raise
        deadline.sleep(wait)
        waited += wait
    return attempt(len(BACKOFF) + 1)


@dataclass
class AttemptRecord:
    """What the log tells of one attempt."""

    is_retry: bool
    upstream_id: str = ""  # The upstream's own (`x-request-id`); blank if it sent none.


@dataclass
class Call:
    """What a stage asks its model, or the fallback, in one attempt after another."""

    transport: Transport = field(repr=False)
    upstream: Upstream
    stage: str
    models_used: dict[str, Model]  # By stage; a fallback is put there once it has answered.
    deadline: Deadline
    usage: Usage  # Counts what is collected of an answer.
    attempts: list[AttemptRecord]  # Gets a record of each attempt.

    def __post_init__(self) -> None:
        self.model = self.models_used[self.stage]

    def run(self, exchange: Callable[[], Result]) -> Result:
        """What `exchange` returns, tried `with_retries`, then for an unknown model's fallback."""

        def attempt(number: int) -> Result:
            # `post` and `open_channel` write the upstream's id into it.
            self._record = AttemptRecord(is_retry=number > 1)
            self.attempts.append(self._record)
            return exchange()

        try:
            result = with_retries(attempt, self.deadline)
        except errors.ModelNotFound:
            if not self.model.fallback:
                raise
            self.model = self.model.fallback  # It has none itself.
            return self.run(exchange)
        self.note_answer()
        return result

    def note_answer(self) -> None:
        """Have `model` used from now on, for it has answered; the log tells where it is another."""
        used = self.models_used[self.stage]
        if self.model != used:
            log.warn("model_replaced", stage=self.stage, model=used.name, by=self.model.name)
            self.models_used[self.stage] = self.model

    def begin(self, exchange: Callable[[], Generator[Piece]]) -> Generator[Piece]:
        """The pieces of an attempt, once the first is there: from then on nothing is tried again.

        Closing them closes what they come from; raises UpstreamMalformed if there is none.
        """

        def all_pieces() -> Generator[Piece]:
            with closing(exchange()) as pieces:
                first = next(pieces, None)
                if first is None:
                    raise errors.UpstreamMalformed()
                yield first  # To `until_first`: closing a generator that never ran closes nothing.
                yield first  # To whoever asked for the pieces.
                yield from pieces

        def until_first() -> Generator[Piece]:
            pieces = all_pieces()
            next(pieces)
            return pieces

        return self.run(until_first)

    @contextmanager
    def post(self, path: str, body: Body, limit: int) -> Iterator[Answer]:
        """A block with the answer, a success; an UpstreamError in it gets the answer's status."""
        with self.transport.post(self.upstream, path, body, limit, self.deadline) as answer:
            self._record.upstream_id = answer.request_id or ""
            try:
                require_success(answer, self.upstream, self.counted, self.model.name)
                yield answer
            except errors.UpstreamError as failure:
                with_answer(failure, answer, self.upstream)
                raise

    @contextmanager
    def open_channel(self, path: str) -> Iterator[Channel]:
        """Open a WebSocket; raise UpstreamError if the upstream refuses it."""
        with self.transport.open_channel(self.upstream, path, self.deadline) as channel:
            if isinstance(channel, Answer):
                self._record.upstream_id = channel.request_id or ""
                require_success(channel, self.upstream, self.counted, self.model.name)
                channel.whole(self.counted)  # It may fail in other ways.
                raise with_answer(errors.UpstreamMalformed(), channel, self.upstream)
            yield channel

    def failure_in(self, value: Any, *, trusts_names: bool = False) -> errors.UpstreamError:
        """The failure that JSON tells under a success's status, or in an event."""
        return failure_told_by(value, self.upstream, self.model.name, trusts_names=trusts_names)

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of an answer that is collected, counted until the last was used."""
        return self.usage.counted(pieces, self.deadline)
