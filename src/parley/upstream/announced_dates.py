"""The days on which the upstream says that its models shut down; MODEL_LIST.MD has ours."""

from datetime import date

from parley.deadline import Deadline
from parley.errors import UpstreamMalformed
from parley.upstream.calls import with_retries
from parley.upstream.failures import require_success, with_answer
from parley.upstream.json_values import json_in
from parley.wire.transport import Transport, Upstream

LIST_BYTES = 1_000_000  # The largest list of models that is taken.
UNREADABLE = "on a day that cannot be read"  # What the upstream wrote may show a key.
Day = date | str | None  # None where no day is announced, UNREADABLE where it is none.


def shutdown_dates(transport: Transport, upstream: Upstream, deadline: Deadline) -> dict[str, Day]:
    """Each model that `GET /models` lists, with its shutdown date; raise UpstreamError."""

    def listed(_: int) -> dict[str, Day]:
        with transport.get(upstream, "/models", LIST_BYTES, deadline) as answer:
            require_success(answer, upstream, iter)
            models = json_in(answer.whole())
        try:
            return {each["id"]: _day(each.get("shutdown_date")) for each in models["data"]}
        except (ValueError, TypeError, LookupError, AttributeError):
            raise with_answer(UpstreamMalformed(), answer, upstream) from None

    return with_retries(listed, deadline)


def _day(written: object) -> Day:
    try:
        return date.fromisoformat(str(written)) if written else None
    except ValueError:
        return UNREADABLE
