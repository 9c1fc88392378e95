"""The calls of OpenAI's API: what is sent, and what of each answer is taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

from parley import log
from parley.audio import Recording
from parley.deadline import Deadline
from parley.errors import TextIncomplete, UpstreamMalformed
from parley.models.registry import Model
from parley.upstream import encoding as speech
from parley.upstream import realtime
from parley.upstream.failures import accept, json_of, origin, value_at, words
from parley.upstream.retries import with_retries
from parley.wire.messages import Answer, Form, Upstream
from parley.wire.transport import Transport

VOICE = "alloy"
SPEECH_CHARACTERS = 4096
"""The longest `input` that /audio/speech takes (OpenAI's API reference)."""

TEXT_BYTES = 1_000_000
SPEECH_BYTES = 16_000_000
"""The largest answers that are taken, as decoded."""

INCOMPLETE = ("length", "content_filter")
"""The values of `finish_reason` with which a model ended before its reply did."""


@dataclass(frozen=True)
class Reply:
    """What a chat model said, never blank, and the failure to tell where it is not all of it."""

    text: str = field(repr=False)
    failure: TextIncomplete | None = None


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
        answer = self._call("/audio/transcriptions", form, TEXT_BYTES, model)
        text = value_at(json_of(answer), "text")
        if not isinstance(text, str):
            raise UpstreamMalformed(**origin(answer))
        return words(text)

    def complete(self, transcript: str, model: Model) -> Reply:
        """The chat model's reply to the transcript; a refusal is one. Raises UpstreamError."""
        messages = [
            {"role": "system", "content": self.system_prompt},
            {"role": "user", "content": transcript},
        ]
        body = {"model": model.name, "messages": messages, **model.parameters}
        answer = self._call("/chat/completions", body, TEXT_BYTES, model)
        choice = value_at(json_of(answer), "choices", 0)
        said = (words(value_at(choice, "message", name)) for name in ("content", "refusal"))
        text = next(filter(None, said), "")
        if not text:
            raise UpstreamMalformed(**origin(answer))
        whole = value_at(choice, "finish_reason") not in INCOMPLETE
        return Reply(text, None if whole else TextIncomplete(**origin(answer)))

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
        answer = self._call("/audio/speech", body, SPEECH_BYTES, model)
        if not answer.body:
            raise UpstreamMalformed(**origin(answer))
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
                    accept(channel, self.upstream.api_key, model.name)
                    raise UpstreamMalformed(**origin(channel))
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
            return accept(answer, self.upstream.api_key)

        answer = with_retries(call, self.deadline)
        try:
            days = {model["id"]: model.get("shutdown_date") for model in json_of(answer)["data"]}
            return {name: date.fromisoformat(day) if day else None for name, day in days.items()}
        except (ValueError, TypeError, LookupError, AttributeError):
            raise UpstreamMalformed(**origin(answer)) from None

    def _call(self, path: str, body: Mapping[str, Any] | Form, limit: int, model: Model) -> Answer:
        """POST until it works or need not be tried again; each try builds the body anew."""

        def call() -> Answer:
            self.calls.append("")
            answer = self.transport.post(
                self.upstream, path, body, limit=limit, deadline=self.deadline
            )
            self.calls[-1] = answer.request_id or ""
            return accept(answer, self.upstream.api_key, model.name)

        return with_retries(call, self.deadline)
