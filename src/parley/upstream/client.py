"""The three calls of a conversation to OpenAI's API: what is sent, and what of each answer is used.

Rules and limits that are not ours come from OpenAI's API reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from urllib.parse import quote

from parley import log
from parley.audio import Recording
from parley.deadline import Deadline
from parley.errors import TextIncomplete, UpstreamMalformed
from parley.models.registry import Model
from parley.upstream.failures import origin, require_success
from parley.upstream.json_values import json_of, text_of, value_at
from parley.upstream.mp3_encoder import Mp3Encoder
from parley.upstream.realtime import EVENT_BYTES, ReadingSession, is_read_word_for_word
from parley.upstream.retries import with_retries
from parley.wire.messages import Answer, Form, Upstream
from parley.wire.transport import Transport

VOICE = "alloy"
SPEECH_FORMAT = "mp3"
SPEECH_CHARACTERS = 4096
"""The longest `input` that /audio/speech takes."""

TEXT_BYTES = 1_000_000
SPEECH_BYTES = 16_000_000
"""The largest answers that are taken, counted after decompression."""

INCOMPLETE = ("length", "content_filter")
"""The values of `finish_reason` for a reply that the model did not finish."""

Result = TypeVar("Result")


@dataclass
class CallRecord:
    """One try of one call to the upstream."""

    is_retry: bool
    upstream_id: str = ""
    """The upstream's own id for it (`x-request-id`); blank if the upstream sent none."""


@dataclass(frozen=True)
class Reply:
    """What a chat model said, never blank, and a failure if the model did not finish it."""

    text: str = field(repr=False)
    failure: TextIncomplete | None = None


@dataclass(frozen=True)
class Client:
    """The calls of one conversation: with its caller's key, until its deadline; thread-safe."""

    transport: Transport = field(repr=False)
    upstream: Upstream
    deadline: Deadline
    system_prompt: str = field(repr=False)
    calls: list[CallRecord] = field(default_factory=list)
    """A record of each try, appended when the try has ended."""

    def transcribe(self, recording: Recording, model: Model) -> str:
        """The words of the recording, in the language spoken; blank if there were none.

        The file gets a name from its bytes: the upstream reads the format from the name's
        extension, which is often missing or wrong in callers' names. Raises UpstreamError.
        """
        form: Form = [
            ("model", model.name),
            *model.parameters.items(),
            ("response_format", "json"),
            ("file", recording),
        ]
        answer = self._post("/audio/transcriptions", form, TEXT_BYTES, model)
        text = value_at(json_of(answer), "text")
        if not isinstance(text, str):
            raise UpstreamMalformed(**origin(answer))
        return text_of(text)

    def complete(self, transcript: str, model: Model) -> Reply:
        """The chat model's reply; a refusal is a reply too. Raises UpstreamError."""
        messages = [
            {"role": "system", "content": self.system_prompt},
            {"role": "user", "content": transcript},
        ]
        body = {"model": model.name, "messages": messages, **model.parameters}
        answer = self._post("/chat/completions", body, TEXT_BYTES, model)
        choice = value_at(json_of(answer), "choices", 0)
        texts = (text_of(value_at(choice, "message", name)) for name in ("content", "refusal"))
        text = next(filter(None, texts), "")
        if not text:
            raise UpstreamMalformed(**origin(answer))
        whole = value_at(choice, "finish_reason") not in INCOMPLETE
        return Reply(text, None if whole else TextIncomplete(**origin(answer)))

    def speak(self, text: str, model: Model) -> bytes:
        """`text` (at most SPEECH_CHARACTERS) as mp3, never empty. Raises UpstreamError."""
        if model.interface == "realtime":
            return self._speak_over_realtime(text, model)
        body = {
            "model": model.name,
            "input": text,
            "voice": VOICE,
            "response_format": SPEECH_FORMAT,
            **model.parameters,
        }
        answer = self._post("/audio/speech", body, SPEECH_BYTES, model)
        if not answer.body:
            raise UpstreamMalformed(**origin(answer))
        return answer.body

    def _speak_over_realtime(self, text: str, model: Model) -> bytes:
        """Speech from the Realtime API, which sends PCM, and may change a text's words."""
        path = f"/realtime?model={quote(model.name, safe='')}"

        def call(record: CallRecord) -> tuple[bytes, str]:
            with self.transport.connect(
                self.upstream, path, limit=EVENT_BYTES, deadline=self.deadline
            ) as channel:
                if isinstance(channel, Answer):
                    record.upstream_id = channel.request_id or ""
                    require_success(channel, self.upstream.api_key, model.name)
                    raise UpstreamMalformed(**origin(channel))
                session, encoder = ReadingSession(channel), Mp3Encoder(self.deadline)
                speech = bytearray()
                for pcm in session.read_aloud(text, VOICE, model.parameters):
                    speech += encoder.feed(pcm)  # At once, since PCM is six times as large as mp3.
                speech += encoder.finish()
                return bytes(speech), session.transcript

        speech, transcript = self._recorded(call)
        if not is_read_word_for_word(text, transcript):
            log.reworded(model.name)
        return speech

    def _post(self, path: str, body: Mapping[str, Any] | Form, limit: int, model: Model) -> Answer:
        """POST until it succeeds or another try is useless; each try builds its body anew."""

        def call(record: CallRecord) -> Answer:
            answer = self.transport.post(
                self.upstream, path, body, limit=limit, deadline=self.deadline
            )
            record.upstream_id = answer.request_id or ""
            return require_success(answer, self.upstream.api_key, model.name)

        return self._recorded(call)

    def _recorded(self, call: Callable[[CallRecord], Result]) -> Result:
        """What `call` returns, with retries; each try gets a record of its own to complete."""
        tries = count()

        def one_try() -> Result:
            record = CallRecord(is_retry=next(tries) > 0)
            try:
                return call(record)
            finally:
                self.calls.append(record)

        return with_retries(one_try, self.deadline)
