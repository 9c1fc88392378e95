"""The failures of an upstream: which of its answers and events means which UpstreamError."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from parley.errors import (
    ApiKeyRejected,
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from parley.upstream.json_values import json_of, value_at
from parley.wire.bodies import StreamedAnswer
from parley.wire.messages import Answer, Upstream

# The statuses with a meaning of their own; the others are told apart by their hundreds.
BY_STATUS: Mapping[int, type[UpstreamError]] = {
    401: ApiKeyRejected,
    403: ApiKeyRejected,
    408: UpstreamTimeout,
    429: RateLimited,
    504: UpstreamTimeout,
}
# The values of `error.code` with a meaning of their own, in answers and in events.
BY_CODE: Mapping[str, type[UpstreamError]] = {
    "credit_balance_exhausted": QuotaExhausted,
    "insufficient_quota": QuotaExhausted,
    "invalid_api_key": ApiKeyRejected,
    "model_not_found": ModelNotFound,
    "rate_limit_exceeded": RateLimited,
    "server_error": UpstreamUnavailable,
}
RETRIED_STATUSES = (408, 409, 429)
"""What OpenAI's own SDK tries again, beside every 5xx."""

SHOULD_RETRY = {"true": True, "false": False}
"""The values of the header `x-should-retry`, which overrules the statuses."""

RETRIED_EVENTS = (RateLimited, UpstreamUnavailable)

READ_CHARACTERS, MESSAGE_CHARACTERS = 1000, 300
"""How much of an upstream's message is examined, and how much of it is passed on."""

LONGEST_WAIT = 86_400.0
"""The longest wait, in seconds, that callers are told of: a day."""


def require_success(answer: Answer, upstream: Upstream, model: str = "") -> Answer:
    """The answer, if it is a success; else raise the UpstreamError that it means.

    A model is unknown if `error.code` says so, or, on hosts that send no code, if a 404 names
    `model`. Any other 404 means a wrong base URL, and any other 403 a key without permission.
    """
    if 200 <= answer.status < 300:
        return answer
    code, message = _code_and_message_of(answer)
    status = answer.status
    failure = BY_STATUS.get(status, UpstreamUnavailable if status >= 500 else UpstreamRejected)
    coded = BY_CODE.get(code)
    if (failure is UpstreamRejected or status == 403) and (
        coded is ModelNotFound or (status == 404 and code in ("", "404") and _names(message, model))
    ):
        failure = ModelNotFound
    retry = status in RETRIED_STATUSES or status >= 500
    retry = SHOULD_RETRY.get(answer.headers.get("x-should-retry", ""), retry)
    if failure is RateLimited and coded is QuotaExhausted:
        failure, retry = QuotaExhausted, False
    sentence = ""
    if len(message) > MESSAGE_CHARACTERS:
        message = f"{message[:MESSAGE_CHARACTERS]}…"
    is_fit = message and message.isprintable() and upstream.may_be_told(message)
    if issubclass(failure, UpstreamRejected) and is_fit:
        sentence = f"The upstream refused the request, saying: {message}"
    wait = retry_after(answer.headers)
    raise failure(sentence, retry=retry, retry_after=wait, **origin(answer))


def failure_of_event(error: object) -> UpstreamError:
    """The failure that the `error` object of an event means: by its `code`, or else its `type`."""
    names = [str(value_at(error, key)) for key in ("code", "type")]
    kind = next((BY_CODE[name] for name in names if name in BY_CODE), UpstreamMalformed)
    return kind(retry=kind in RETRIED_EVENTS)


def _code_and_message_of(answer: Answer) -> tuple[str, str]:
    """The code and the message, in one line, of OpenAI's error body; blank where there is none."""
    error = value_at(json_of(answer), "error")
    code, message = value_at(error, "code"), value_at(error, "message")
    text = " ".join(message[:READ_CHARACTERS].split()) if isinstance(message, str) else ""
    return "" if code is None else str(code), text


def _names(message: str, model: str) -> bool:
    """Whether a message names a model, and not a longer name or an address that contains it."""
    name = rf"(?<![\w.=-]){re.escape(model)}(?![\w-]|[.:/@]\w)"
    return bool(model) and re.search(name, message) is not None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds, up to LONGEST_WAIT, the upstream asks to wait, as OpenAI's SDK reads it.

    `retry-after-ms` first, then `Retry-After` in seconds, then as an HTTP date (RFC 9110, 10.2.3).
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return min(seconds, LONGEST_WAIT) if seconds >= 0 else None
    try:
        moment = parsedate_to_datetime(headers["retry-after"])
        seconds = (moment - datetime.now(UTC)).total_seconds()
        return min(max(0.0, seconds), LONGEST_WAIT)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def origin(answer: Answer | StreamedAnswer) -> dict[str, Any]:
    """The fields by which an error names the answer that caused it, as far as callers are told."""
    told_id = answer.request_id if answer.is_quoted else None
    return {"upstream_status": answer.status, "upstream_request_id": told_id}
