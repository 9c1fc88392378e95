"""What the calls of OpenAI's API mean: what is sent, and how each answer is understood."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from parley import log, realtime, speech
from parley.audio import Recording
from parley.credentials import reveals
from parley.deadline import Deadline
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
from parley.registry import Model
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

# The upstream's statuses that mean something of their own; the others go by their hundreds.
FAILURES: Mapping[int, type[UpstreamError]] = {
    401: ApiKeyRejected,
    403: ApiKeyRejected,
    404: ModelNotFound,
    408: UpstreamTimeout,
    429: RateLimited,
    504: UpstreamTimeout,
}
RETRIED = (408, 409, 429)
SHOULD_RETRY = {"true": True, "false": False}
"""What OpenAI's own SDK tries again, beside every 5xx, and the header that overrules it."""


@dataclass(frozen=True)
class Client:
    """The calls for one conversation: with its caller's key, until its deadline."""

    transport: Transport = field(repr=False)
    upstream: Upstream
    deadline: Deadline
    system_prompt: str = field(repr=False)
    calls: list[str] = field(default_factory=list)
    """The upstream's id of each call and of each try; blank where it told none."""

    def transcribe(self, recording: Recording, model: Model) -> str:
        """The words of the recording, in the language spoken; blank where nothing was heard.

        The file is named from its bytes: the upstream goes by the name's extension, and callers'
        names are missing or wrong too often. Raises UpstreamError.
        """
        form: Form = [
            ("model", model.name),
            *model.parameters.items(),
            ("response_format", "json"),
            ("file", recording),
        ]
        answer = self._call("/audio/transcriptions", form, TEXT_BYTES)
        return _text(answer, "text").strip()

    def complete(self, transcript: str, model: Model) -> str:
        """The chat model's reply to the transcript, never blank. Raises UpstreamError."""
        messages = [
            {"role": "system", "content": self.system_prompt},
            {"role": "user", "content": transcript},
        ]
        body = {"model": model.name, "messages": messages, **model.parameters}
        answer = self._call("/chat/completions", body, TEXT_BYTES)
        reply = _text(answer, "choices", 0, "message", "content").strip()
        if not reply:
            raise UpstreamMalformed(**_origin(answer))
        return reply

    def speak(self, text: str, model: Model) -> bytes:
        """`text` (at most SPEECH_CHARACTERS) as mp3, never empty. Raises UpstreamError."""
        if model.interface == "realtime":
            return self._read_aloud(text, model)
        body = {
            "model": model.name,
            "input": text,
            "voice": VOICE,
            "response_format": "mp3",
            **model.parameters,
        }
        answer = self._call("/audio/speech", body, SPEECH_BYTES)
        if not answer.body:
            raise UpstreamMalformed(**_origin(answer))
        return answer.body

    def _read_aloud(self, text: str, model: Model) -> bytes:
        """Speech from the Realtime API, which streams PCM and may put a text in its own words."""
        path = f"/realtime?model={quote(model.name, safe='')}"

        def call() -> tuple[bytes, str]:
            self.calls.append("")
            with self.transport.connect(
                self.upstream, path, limit=realtime.EVENT_BYTES, deadline=self.deadline
            ) as channel:
                if isinstance(channel, Answer):
                    raise UpstreamMalformed(**_origin(_accept(channel, self.upstream.api_key)))
                encoder = speech.Encoder(self.deadline)
                reading = realtime.read_aloud(channel, text, VOICE, model.parameters, encoder)
                return reading.finish(), reading.transcript

        sound, transcript = with_retries(call, self.deadline)
        if not realtime.same_words(text, transcript):
            log.reworded(model.name)
        return sound

    def shutdown_dates(self) -> dict[str, date | None]:
        """Each model of the upstream, and the day that it shuts down where one is announced.

        Raises UpstreamError.
        """

        def call() -> Answer:
            answer = self.transport.get(
                self.upstream, "/models", limit=TEXT_BYTES, deadline=self.deadline
            )
            return _accept(answer, self.upstream.api_key)

        answer = with_retries(call, self.deadline)
        try:
            days = {
                model["id"]: model.get("shutdown_date") for model in json.loads(answer.body)["data"]
            }
            return {name: date.fromisoformat(day) if day else None for name, day in days.items()}
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise UpstreamMalformed(**_origin(answer)) from None

    def _call(self, path: str, body: Mapping[str, Any] | Form, limit: int) -> Answer:
        """POST until it works or need not be tried again; each try builds the body anew."""

        def call() -> Answer:
            self.calls.append("")
            answer = self.transport.post(
                self.upstream, path, body, limit=limit, deadline=self.deadline
            )
            self.calls[-1] = answer.request_id or ""
            return _accept(answer, self.upstream.api_key)

        return with_retries(call, self.deadline)


def _accept(answer: Answer, api_key: str) -> Answer:
    """The answer, where it is a success; else raise what it means."""
    if 200 <= answer.status < 300:
        return answer
    code, message = _error_of(answer)
    status = answer.status
    failure = FAILURES.get(status, UpstreamUnavailable if status >= 500 else UpstreamRejected)
    if failure is UpstreamRejected and code == "model_not_found":
        failure = ModelNotFound
    retry = status in RETRIED or status >= 500
    retry = SHOULD_RETRY.get(answer.headers.get("x-should-retry", ""), retry)
    if failure is RateLimited and code in QUOTA_CODES:
        failure, retry = QuotaExhausted, False
    said = ""
    if issubclass(failure, UpstreamRejected) and message and not reveals(message, api_key):
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
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _origin(answer: Answer) -> dict[str, Any]:
    return {"upstream_status": answer.status, "upstream_request_id": answer.request_id}


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
    # JSON can hold half a surrogate pair, which is no text that could be sent on.
    return value.encode(errors="replace").decode()
