"""The days on which the upstream says that its models shut down."""

from datetime import date

from parley.deadline import Deadline
from parley.errors import UpstreamMalformed
from parley.upstream.failures import origin, require_success
from parley.upstream.json_values import json_of
from parley.upstream.retries import with_retries
from parley.wire.messages import Answer, Upstream
from parley.wire.transport import Transport

LIST_BYTES = 1_000_000
"""The largest list of models that is taken."""


def shutdown_dates(
    transport: Transport, upstream: Upstream, deadline: Deadline
) -> dict[str, date | None]:
    """Each model that `GET /models` lists, with its shutdown date; None if none is announced.

    Raises UpstreamError.
    """

    def call() -> Answer:
        answer = transport.get(upstream, "/models", limit=LIST_BYTES, deadline=deadline)
        return require_success(answer, upstream)

    answer = with_retries(call, deadline)
    try:
        days = {model["id"]: model.get("shutdown_date") for model in json_of(answer)["data"]}
        return {name: date.fromisoformat(day) if day else None for name, day in days.items()}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise UpstreamMalformed(**origin(answer)) from None
