"""The failures of an upstream: which of its answers and events means which UpstreamError."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from parley import errors
from parley.errors import UpstreamError
from parley.upstream.error_reports import Report, report_in, report_of
from parley.upstream.reasons import ADDRESS, QUOTA, TIME, is_about_model, seconds_in
from parley.wire.bodies import Answer, Counted
from parley.wire.transport import Upstream

# The statuses with a meaning of their own; the others are told apart by their hundreds.
BY_STATUS: Mapping[int, type[UpstreamError]] = {
    401: errors.ApiKeyRejected,
    402: errors.QuotaExhausted,
    403: errors.Forbidden,
    408: errors.UpstreamTimeout,
    429: errors.RateLimited,
    501: errors.UpstreamRejected,
    504: errors.UpstreamTimeout,
}
# The names (`error.code`, `error.type`) that mean the same whatever the status is.
BY_NAME: Mapping[str, type[UpstreamError]] = {
    "budget_exceeded": errors.QuotaExhausted,
    "no_db_connection": errors.ApiKeyRejected,  # LiteLLM without a database, to any other key.
}
# Those that make the meaning of a status more exact, and stand alone where there is none.
BY_CODE: Mapping[str, type[UpstreamError]] = {
    "credit_balance_exhausted": errors.QuotaExhausted,
    "deploymentnotfound": errors.ModelNotFound,  # Azure, where a deployment's name is the model's.
    "insufficient_quota": errors.QuotaExhausted,
    "invalid_api_key": errors.ApiKeyRejected,
    "model_not_found": errors.ModelNotFound,
    "rate_limit_exceeded": errors.RateLimited,
    "server_error": errors.UpstreamUnavailable,
    "session_expired": errors.UpstreamUnavailable,  # A Realtime session's time; another begins.
}
# The names that blame the request, as a status below 500 does.
BLAMING = ("invalid_request_error", "invalid_argument", "bad_request", "badrequesterror")
SHOULD_RETRY = {"true": True, "false": False}  # By `x-should-retry`, which overrules the statuses.
MESSAGE_CHARACTERS = 300  # How much of an upstream's message is passed on.
# How a sentence begins that ends with the upstream's own words, where not as the error's own.
LEADS: Mapping[type[UpstreamError], str] = {
    errors.ModelNotFound: "The upstream refused the request",
    errors.QuotaExhausted: "The quota or credit of the key's account at the upstream is used up",
    errors.UpstreamUnavailable: "The upstream failed",
    errors.UpstreamMalformed: "The upstream sent an error instead of an answer",
}
# The headers that say how long to wait, as in OpenAI's SDK, and their units in seconds.
WAITS = (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0))
SENTENCE_END = re.compile(r"(?<=[.!?]) ")
# Those that hosts send with each answer: at a limit they say when it is over.
RESETS = ("x-ratelimit-reset", "ratelimit-reset")
LONGEST_WAIT = 86_400.0  # The longest wait, in seconds, that callers are told of: a day.


def require_success(answer: Answer, upstream: Upstream, counted: Counted, model: str = "") -> None:
    """Raise the UpstreamError that an answer means whose status is no success; read it for that."""
    if not 200 <= answer.status < 300:
        report = report_in(answer.whole(counted))
        failure = _failure(report, upstream, model, answer.status, answer.headers)
        raise with_answer(failure, answer, upstream)


def failure_told_by(
    value: Any, upstream: Upstream, model: str = "", *, trusts_names: bool = False
) -> UpstreamError:
    """The failure that JSON tells under a success's status, or in an event.

    A code from 400 to 599 counts as the status. Without one it is UpstreamMalformed, but for few
    names, or any with `trusts_names`: OpenAI's events say in nothing else what happened.
    """
    report = report_of(value)
    if report.status is None and not trusts_names:
        counted = (*BY_NAME, *BLAMING, "model_not_found")
        report = replace(report, names=tuple(name for name in report.names if name in counted))
    return _failure(report, upstream, model, report.status, {})


def _failure(
    report: Report, upstream: Upstream, model: str, status: int | None, headers: Mapping[str, str]
) -> UpstreamError:
    """The one way from what was read to an error of ours, with its sentence and its retries."""
    wait = retry_after(headers, report.wait, status)
    if status is None:
        known = {**BY_NAME, **BY_CODE}
        kind = next(filter(None, map(known.get, report.names)), errors.UpstreamMalformed)
        if is_about_model(400, report.message, model, report.names):
            kind = errors.ModelNotFound
        retry = kind in (errors.RateLimited, errors.UpstreamUnavailable)
    else:
        kind = _by_status(status, report, upstream, model, wait)
        retry = status in (408, 409, 429) or status >= 500  # As in OpenAI's own SDK.
        retry = SHOULD_RETRY.get(headers.get("x-should-retry", ""), retry)
    if kind in (errors.QuotaExhausted, errors.ModelNotFound) or status == 501:
        retry = False  # It does not pass by itself, whatever the header says.
    return kind(_sentence(kind, report, upstream, status), retry=retry, retry_after=wait)


def _by_status(
    status: int, report: Report, upstream: Upstream, model: str, wait: float | None
) -> type[UpstreamError]:
    if named := [BY_NAME[name] for name in report.names if name in BY_NAME]:
        return named[0]
    if status == 401 and not upstream.api_key and upstream.key_header:
        return errors.StageKeyMissing
    by_hundreds = errors.UpstreamUnavailable if status >= 500 else errors.UpstreamRejected
    kind = BY_STATUS.get(status, by_hundreds)
    coded = {BY_CODE.get(name) for name in report.names}
    if kind is errors.RateLimited:
        speaks = QUOTA.search(" ".join((report.message, *report.names)))
        waits = wait is not None or report.wait_field or TIME.search(report.message)
        if errors.QuotaExhausted in coded or (speaks and not waits):
            return errors.QuotaExhausted
    inexact = (errors.UpstreamRejected, errors.UpstreamUnavailable, errors.Forbidden)
    is_told = errors.ModelNotFound in coded and kind in inexact
    if is_told or is_about_model(status, report.message, model, report.names):
        return errors.ModelNotFound
    return kind


def _sentence(
    kind: type[UpstreamError], report: Report, upstream: Upstream, status: int | None
) -> str:
    """The upstream's words, if callers may read them; blank: the error's own sentence stands."""
    message = report.message
    if kind is errors.StageKeyMissing:
        return f"The upstream wants an API key, and none was sent; send {upstream.key_header}."
    # A caller with a token could learn from what is left out which keys the operator has.
    if not (upstream.is_quoted and message.isprintable()) or upstream.secrets.shown_in(message):
        return ""
    if len(message) > MESSAGE_CHARACTERS:  # After a word, so that no address loses its end.
        message = f"{message[:MESSAGE_CHARACTERS].rsplit(' ', 1)[0]}…"
    # No caller is to learn where a host of the operator's own network stands.
    has_failed = not set(BLAMING).intersection(report.names) if status is None else status >= 500
    if upstream.is_operators_host and has_failed:
        parts = SENTENCE_END.split(message) if status is None else [message]
        message = " ".join(part for part in parts if not ADDRESS.search(part))
    lead = LEADS.get(kind) or kind.message.partition(";")[0]
    return f"{lead}, saying: {message}" if message else ""


def retry_after(headers: Mapping[str, str], told: float | None, status: int | None) -> float | None:
    """How many seconds, up to LONGEST_WAIT, the upstream asks to wait: by a header, or `told`."""
    asked = [seconds_in(headers.get(name, ""), unit) for name, unit in WAITS]
    resets = [seconds_in(headers.get(name, "")) for name in RESETS if status == 429]
    waits = (each for each in (*asked, told, *filter(None, resets)) if each is not None)
    return next((min(each, LONGEST_WAIT) for each in waits), None)


def with_answer(failure: UpstreamError, answer: Answer, upstream: Upstream) -> UpstreamError:
    """The failure, which names the answer it came with, as far as callers are told of that."""
    if failure.upstream_status is None:
        failure.upstream_status = answer.status
        failure.upstream_request_id = answer.request_id if upstream.is_quoted else None
    return failure
