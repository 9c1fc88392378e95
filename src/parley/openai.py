"""What the three calls of OpenAI's API mean: what is sent, and how each answer is understood."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from parley.audio import Recording
from parley.deadline import Deadline
from parley.errors import (
    ApiKeyRejected,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from parley.retries import with_retries
from parley.transport import Answer, Form, Transport, Upstream

VOICE = "alloy"
SPEECH_CHARACTERS = 4096
"""The longest `input` that /audio/speech takes (OpenAI's API reference)."""

TEXT_BYTES = 1_000_000
SPEECH_BYTES = 16_000_000
"""The largest answers that are taken, as decoded."""

QUOTA_CODES = ("insufficient_quota", "credit_balance_exhausted")
MESSAGE_CHARACTERS = 300
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

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


@dataclass(frozen=True)
class Client:
    """The three calls, for one conversation: with its caller's key, until its deadline."""

    transport: Transport = field(repr=False)
    upstream: Upstream
    deadline: Deadline
    system_prompt: str = field(repr=False)
    calls: list[str] = field(default_factory=list)
    """The upstream's id of each call and of each try; blank where it told none."""

    def transcribe(self, recording: Recording, model: str) -> str:
        """The words of the recording, in the language spoken; blank where nothing was heard.

        The file is named from its bytes: the upstream goes by the name's extension, and callers'
        names are missing or wrong too often. Raises UpstreamError.
        """
        kind = recording.kind
        form: Form = [
            ("model", model),
            ("response_format", "json"),
            ("file", (kind.file_name, recording.stream, kind.mime_type)),
        ]
        answer = self._call("/audio/transcriptions", form, TEXT_BYTES, recording)
        return _text(answer, "text").strip()

    def complete(self, transcript: str, model: str) -> str:
        """The chat model's reply to the transcript, never blank. Raises UpstreamError."""
        messages = [
            {"role": "system", "content": self.system_prompt},
            {"role": "user", "content": transcript},
        ]
        answer = self._call("/chat/completions", {"model": model, "messages": messages}, TEXT_BYTES)
        reply = _text(answer, "choices", 0, "message", "content").strip()
        if not reply:
            raise UpstreamMalformed(**_origin(answer))
        return reply

    def speak(self, text: str, model: str) -> bytes:
        """`text` (at most SPEECH_CHARACTERS) as mp3, never empty. Raises UpstreamError."""
        body = {"model": model, "input": text, "voice": VOICE, "response_format": "mp3"}
        answer = self._call("/audio/speech", body, SPEECH_BYTES)
        if not answer.body:
            raise UpstreamMalformed(**_origin(answer))
        return answer.body

    def _call(
        self, path: str, body: Mapping[str, Any] | Form, limit: int, sent: Recording | None = None
    ) -> Answer:
        """POST until it works or need not be tried again; each try sends the recording anew."""

        def call() -> Answer:
            if sent:
                sent.stream.seek(0)
            self.calls.append("")
            answer = self.transport.post(
                self.upstream, path, body, limit=limit, deadline=self.deadline
            )
            self.calls[-1] = _origin(answer)["upstream_request_id"] or ""
            return _accept(answer, self.upstream.api_key)

        return with_retries(call, self.deadline)


def _accept(answer: Answer, api_key: str) -> Answer:
    """The answer, where it is a success; else raise what it means."""
    if 200 <= answer.status < 300:
        return answer
    code, message = _error_of(answer)
    status = answer.status
    failure = FAILURES.get(status, UpstreamUnavailable if status >= 500 else UpstreamRejected)
    retry = status in RETRIED or status >= 500
    retry = SHOULD_RETRY.get(answer.headers.get("x-should-retry", ""), retry)
    if failure is RateLimited and code in QUOTA_CODES:
        failure, retry = QuotaExhausted, False
    said = ""
    if failure is UpstreamRejected and message and not reveals(message, api_key):
        said = f"The upstream refused the request, saying: {message}"
    wait = retry_after(answer.headers)
    raise failure(said, retry=retry, retry_after=wait, **_origin(answer))


def _error_of(answer: Answer) -> tuple[str, str]:
    """The code and the message of OpenAI's error body, blank where they are not there."""
    try:
        error = json.loads(answer.body)["error"]
        code, message = error.get("code"), error.get("message")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", ""
    text = " ".join(message.split()) if isinstance(message, str) else ""
    if len(text) > MESSAGE_CHARACTERS:
        text = f"{text[:MESSAGE_CHARACTERS]}…"
    return str(code), text if text.isprintable() else ""


def reveals(text: str, api_key: str) -> bool:
    """Whether `text` shows the key, or four of its characters in a row.

    OpenAI's messages repeat a key's first and last characters around asterisks.
    """
    return any(api_key[i : i + 4] in text for i in range(max(1, len(api_key) - 3)))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the upstream asks callers to wait, as OpenAI's own SDK reads it.

    `retry-after-ms` first, then `Retry-After` in seconds, then as an HTTP date (RFC 9110, 10.2.3).
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if 0 <= seconds < math.inf else None
    try:
        date = parsedate_to_datetime(headers["retry-after"])
        return max(0.0, (date - datetime.now(UTC)).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def _origin(answer: Answer) -> dict[str, Any]:
    request_id = answer.headers.get("x-request-id", "")
    return {
        "upstream_status": answer.status,
        "upstream_request_id": request_id if REQUEST_ID.fullmatch(request_id) else None,
    }


def _text(answer: Answer, *path: str | int) -> str:
    """The string at `path` in the answer's JSON; raise UpstreamMalformed where there is none."""
    try:
        value = json.loads(answer.body)
        for step in path:
            value = value[step]
    except (ValueError, TypeError, LookupError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise UpstreamMalformed(**_origin(answer))
    return value
