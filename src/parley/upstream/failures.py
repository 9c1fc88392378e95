"""What an upstream's answer is: a success and what stands in it, or a failure by its name."""

import json
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
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from parley.redaction import reveals
from parley.wire.transport import Answer

QUOTA_CODES = ("insufficient_quota", "credit_balance_exhausted")
MISSING = "model_not_found"
READ_CHARACTERS, MESSAGE_CHARACTERS = 1000, 300
"""How much of an upstream's message is looked at, and how much of it is passed on."""

CONTAINERS = 50_000
"""How many arrays and objects a JSON text may hold; Python takes a second over a million of them,
in which nobody else is served."""

LONGEST_WAIT = 86_400.0
"""The longest wait, in seconds, that callers are told of: a day."""

# The upstream's statuses that mean something of their own; the others go by their hundreds.
FAILURES: Mapping[int, type[UpstreamError]] = {
    401: ApiKeyRejected,
    403: ApiKeyRejected,
    408: UpstreamTimeout,
    429: RateLimited,
    504: UpstreamTimeout,
}
RETRIED = (408, 409, 429)
SHOULD_RETRY = {"true": True, "false": False}
"""What OpenAI's own SDK tries again, beside every 5xx, and the header that overrules it."""


def accept(answer: Answer, api_key: str, model: str = "") -> Answer:
    """The answer, where it is a success; else raise the UpstreamError that it means.

    That a model is unknown only `error.code` tells, or, from hosts that send none, a 404 that names
    `model`: any other 404 is a wrong base URL, and any other 403 a key that may not be used.
    """
    if 200 <= answer.status < 300:
        return answer
    code, message = _error_of(answer)
    status = answer.status
    failure = FAILURES.get(status, UpstreamUnavailable if status >= 500 else UpstreamRejected)
    if (failure is UpstreamRejected or status == 403) and (
        code == MISSING or (status == 404 and code in ("", "404") and _names(message, model))
    ):
        failure = ModelNotFound
    retry = status in RETRIED or status >= 500
    retry = SHOULD_RETRY.get(answer.headers.get("x-should-retry", ""), retry)
    if failure is RateLimited and code in QUOTA_CODES:
        failure, retry = QuotaExhausted, False
    said = ""
    if len(message) > MESSAGE_CHARACTERS:
        message = f"{message[:MESSAGE_CHARACTERS]}…"
    fit = message and message.isprintable() and not reveals(message, api_key)
    if issubclass(failure, UpstreamRejected) and fit:
        said = f"The upstream refused the request, saying: {message}"
    wait = retry_after(answer.headers)
    raise failure(said, retry=retry, retry_after=wait, **origin(answer))


def _error_of(answer: Answer) -> tuple[str, str]:
    """The code and the message, in one line, of OpenAI's error body; blank where there is none."""
    error = value_at(json_of(answer), "error")
    code, message = value_at(error, "code"), value_at(error, "message")
    text = " ".join(message[:READ_CHARACTERS].split()) if isinstance(message, str) else ""
    return "" if code is None else str(code), text


def _names(message: str, model: str) -> bool:
    """Whether a message names a model, and not just a longer name or an address that holds it."""
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


def origin(answer: Answer) -> dict[str, Any]:
    """What an error says of the answer that it comes from."""
    return {"upstream_status": answer.status, "upstream_request_id": answer.request_id}


def json_of(answer: Answer) -> Any:
    """The answer's body as JSON; None where it is none."""
    try:
        return parse(answer.body)
    except ValueError:
        return None


def parse(text: bytes) -> Any:
    """The value of a JSON text; raise ValueError where it is none or too much work."""
    if text.count(b"[") + text.count(b"{") > CONTAINERS:
        raise ValueError("too many containers")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def value_at(value: Any, *path: str | int) -> Any:
    """What stands at `path` in a JSON value; None where nothing does."""
    try:
        for step in path:
            value = value[step]
    except (TypeError, LookupError):
        return None
    return value


def words(value: Any) -> str:
    """A JSON string's text; blank for anything else.

    JSON can hold half a surrogate pair, which is no text that could be sent on.
    """
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else ""
