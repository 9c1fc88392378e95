"""Calls to the upstream: each is tried until it works, and each attempt is recorded."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, Generic, TypeVar

from parley.deadline import Deadline
from parley.errors import UpstreamError, UpstreamMalformed
from parley.memory import Usage
from parley.models.registry import Model
from parley.upstream.failures import failure_in, require_success, with_answer
from parley.upstream.retries import with_retries
from parley.wire.bodies import StreamedAnswer
from parley.wire.messages import Answer, Body, Upstream
from parley.wire.transport import Transport
from parley.wire.websocket import Channel

Piece = TypeVar("Piece")
Result = TypeVar("Result")


@dataclass
class AttemptRecord:
    """What the log tells of one attempt."""

    is_retry: bool
    upstream_id: str = ""
    """The upstream's own id for it (`x-request-id`); blank if the upstream sent none."""


@dataclass
class Call(Generic[Piece]):
    """What one model is asked, until the deadline."""

    transport: Transport = field(repr=False)
    upstream: Upstream
    model: Model
    deadline: Deadline
    usage: Usage
    """Counts what is collected of an answer."""
    records: list[AttemptRecord]
    """Gets a record of each attempt when it has ended, or its answer has begun to arrive."""
    exchange: Callable[["Attempt[Piece]"], Generator[Piece]]
    """Sends the request of an attempt by its `post` or `connect`, and yields the answer's pieces:
    an attempt runs it as its pieces are asked for."""

    def tried(self, use: Callable[["Attempt[Piece]"], Result]) -> Result:
        """What `use` makes of the pieces of an attempt; one that fails is followed by others.

        Raises the UpstreamError of the last attempt.
        """
        numbers = count()

        def call_once() -> Result:
            attempt = Attempt(self, is_retry=next(numbers) > 0)
            try:
                return use(attempt)
            except BaseException:
                attempt.close()
                raise
            finally:
                self.records.append(attempt.record)

        return with_retries(call_once, self.deadline)

    def begun(self) -> "Attempt[Piece]":
        """The attempt of which the first piece is there: from then on nothing is tried again."""
        return self.tried(Attempt.begin)

    def failure_in(self, value: Any) -> UpstreamError:
        """The failure that JSON tells under a success's status."""
        return failure_in(value, self.upstream, self.model.name)

    def failure_in_event(self, value: Any) -> UpstreamError:
        """The failure that an event tells."""
        return failure_in(value, self.upstream, self.model.name, is_event=True)

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of an answer that is collected, counted until the last was used."""
        return self.usage.counted(pieces, self.deadline)


class Attempt(Iterator[Piece]):
    """One attempt at a call: the pieces of its answer as they arrive. Closing it ends it."""

    def __init__(self, call: Call[Piece], *, is_retry: bool) -> None:
        """Send nothing before the first piece is asked for."""
        self.call, self.record = call, AttemptRecord(is_retry)
        self._arriving = call.exchange(self)
        self._pieces: Iterator[Piece] = self._arriving
        self.close = self._arriving.close

    def __iter__(self) -> Iterator[Piece]:
        """The pieces; raises UpstreamError."""
        return self._pieces

    def __next__(self) -> Piece:
        """The next piece; raises as they do."""
        return next(self._pieces)

    def begin(self) -> "Attempt[Piece]":
        """Wait for the first piece; raise UpstreamMalformed if there is none."""
        for first in self._arriving:
            self._pieces = chain((first,), self._arriving)
            return self
        raise UpstreamMalformed()

    @contextmanager
    def post(self, path: str, body: Body, limit: int) -> Iterator[StreamedAnswer]:
        """Send the request; the block gets the answer once its headers tell of a success.

        Raises UpstreamError. What is raised within the block names the answer.
        """
        call = self.call
        with call.transport.stream(
            call.upstream, path, body, limit=limit, deadline=call.deadline
        ) as answer:
            self.record.upstream_id = answer.request_id or ""
            try:
                if not 200 <= answer.status < 300:
                    require_success(answer.whole(call.counted), call.upstream, call.model.name)
                yield answer
            except UpstreamError as failure:
                with_answer(failure, answer)
                raise

    @contextmanager
    def connect(self, path: str, limit: int) -> Iterator[Channel]:
        """Open a WebSocket; raise UpstreamError if the upstream refuses it."""
        call = self.call
        with call.transport.connect(
            call.upstream, path, limit=limit, deadline=call.deadline
        ) as channel:
            if isinstance(channel, Answer):
                self.record.upstream_id = channel.request_id or ""
                require_success(channel, call.upstream, call.model.name)
                raise with_answer(UpstreamMalformed(), channel)
            yield channel
