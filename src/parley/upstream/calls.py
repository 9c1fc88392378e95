"""Calls to the upstream with their retries, and a record of each try."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, TypeVar

from parley.deadline import Deadline
from parley.errors import UpstreamError, UpstreamMalformed
from parley.memory import Usage
from parley.models.registry import Model
from parley.upstream.failures import failure_in, origin, require_success
from parley.upstream.retries import with_retries
from parley.wire.messages import Answer, Form, Upstream
from parley.wire.transport import Transport

Result = TypeVar("Result")


@dataclass
class CallRecord:
    """One try of one call to the upstream."""

    is_retry: bool
    upstream_id: str = ""
    """The upstream's own id for it (`x-request-id`); blank if the upstream sent none."""
    upstream_status: int | None = None
    """The status of an answer that arrives piece by piece; None before it."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The headers of such an answer; names in any case."""
    is_over: bool = False
    """Whether all that counts of such an answer was read; nothing but its end may follow."""
    is_quoted: bool = True
    """Whether callers are told the id, as the upstream's `is_quoted` says."""

    def complete(self, failure: UpstreamError) -> UpstreamError:
        """The failure, which names the answer amid which it came unless it names one already."""
        if failure.upstream_status is None and self.upstream_status:
            failure.upstream_status = self.upstream_status
            failure.upstream_request_id = (self.is_quoted and self.upstream_id) or None
        return failure


class Begun(Iterator[Result]):
    """An answer whose first piece is there; closing it ends its call."""

    def __init__(self, first: Result, others: Generator[Result]) -> None:
        """`others` yields the pieces behind the first."""
        self._pieces = chain((first,), others)
        self.close = others.close

    def __next__(self) -> Result:
        """The next piece."""
        return next(self._pieces)


@dataclass
class Calls:
    """The calls of one stage: to its upstream, until the deadline."""

    transport: Transport = field(repr=False)
    upstream: Upstream
    deadline: Deadline
    records: list[CallRecord] = field(default_factory=list)
    """A record of each try, appended when the try has ended or its answer has begun to arrive."""
    usage: Usage = field(default_factory=Usage)
    """Counts what is collected of an answer."""

    def failure_in(self, model: Model, *, is_event: bool = False) -> Callable[[Any], UpstreamError]:
        """What makes the failure of JSON that tells of one in a call of the model."""
        return lambda value: failure_in(value, self.upstream, model.name, is_event=is_event)

    def post(
        self, path: str, body: Form, limit: int, model: Model, read: Callable[[Answer], Result]
    ) -> Result:
        """POST until `read` takes the answer, or another try is useless; each try sends it anew."""

        def call(record: CallRecord) -> Result:
            with self.transport.stream(
                self.upstream, path, body, limit=limit, deadline=self.deadline
            ) as arriving:
                answer = arriving.whole(self.counted)
            record.upstream_id, record.upstream_status = answer.request_id or "", answer.status
            return read(require_success(answer, self.upstream, model.name))

        return self.recorded(call)

    def pieces(
        self, record: CallRecord, path: str, body: Mapping[str, Any], limit: int, model: Model
    ) -> Generator[bytes]:
        """POST once; the answer's bytes as they arrive, never none. Raises UpstreamError."""
        with self.transport.stream(
            self.upstream, path, body, limit=limit, deadline=self.deadline
        ) as answer:
            record.upstream_id, record.upstream_status = answer.request_id or "", answer.status
            record.headers = answer.headers
            if not 200 <= answer.status < 300:
                require_success(answer.whole(self.counted), self.upstream, model.name)
            is_empty = True
            try:
                for piece in answer.pieces():
                    is_empty = False
                    yield piece
            finally:
                if record.is_over:
                    answer.end()
            if is_empty:
                raise UpstreamMalformed(**origin(answer))

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of an answer that is collected, counted until the last was used."""
        return self.usage.counted(pieces, self.deadline)

    def begun(self, call: Callable[[CallRecord], Generator[Result]]) -> "Begun[Result]":
        """What `call` yields, once its first piece is there: only until then is it tried again.

        Raises what `call` raises before its first piece, and UpstreamMalformed if there is none.
        """

        def named(record: CallRecord) -> Generator[Result]:
            try:
                yield from call(record)
            except UpstreamError as failure:
                record.complete(failure)
                raise

        def begin(record: CallRecord) -> Begun[Result]:
            pieces = named(record)
            for first in pieces:
                return Begun(first, pieces)
            raise UpstreamMalformed()

        return self.recorded(begin)

    def recorded(self, call: Callable[[CallRecord], Result]) -> Result:
        """What `call` returns, with retries; each try gets a record of its own to complete."""
        tries = count()

        def one_try() -> Result:
            record = CallRecord(next(tries) > 0, is_quoted=self.upstream.is_quoted)
            try:
                return call(record)
            except UpstreamError as failure:
                record.complete(failure)
                raise
            finally:
                self.records.append(record)

        return with_retries(one_try, self.deadline)
