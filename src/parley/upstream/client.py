"""The calls of a conversation to OpenAI's API: what is sent, and what of each answer is used.

Rules and limits that are not ours come from OpenAI's API reference.
"""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any

from parley.deadline import Deadline
from parley.errors import TextIncomplete, UpstreamMalformed
from parley.memory import Spool, Usage
from parley.models.registry import Model
from parley.recordings import Recording
from parley.upstream.calls import Begun, CallRecord, Calls
from parley.upstream.chat_stream import INCOMPLETE, deltas_of
from parley.upstream.encodings import set_lengths
from parley.upstream.failures import origin
from parley.upstream.json_values import json_of, text_of, value_at
from parley.upstream.options import Options
from parley.upstream.voices import Voice, voice_of
from parley.wire.messages import Form, Upstream
from parley.wire.transport import Transport

TEXT_BYTES = 1_000_000
"""The largest text that is taken, counted after decompression."""

STREAM_BYTES = 16_000_000
"""The largest stream of a text: each delta comes in an event that is many times its length."""


@dataclass(frozen=True)
class Reply:
    """What a chat model said, never blank, and a failure if the model did not finish it."""

    text: str = field(repr=False)
    failure: TextIncomplete | None = None


@dataclass(frozen=True)
class Client:
    """What is asked in one conversation, each stage of its own upstream."""

    transport: Transport = field(repr=False)
    upstreams: Mapping[str, Upstream]
    """By stage."""

    deadline: Deadline
    options: Options
    usage: Usage = field(default_factory=Usage)
    """Counts what the conversation holds in memory."""

    records: list[CallRecord] = field(default_factory=list)
    """A record of each try of each call, in the order in which they ended or began to answer."""

    def until(self, deadline: Deadline) -> "Client":
        """The same client with another deadline; the records of its calls are shared."""
        return replace(self, deadline=deadline)

    def transcribe(self, recording: Recording, model: Model) -> str:
        """The words of the recording, in the language spoken; blank if there were none.

        The file gets a name from its bytes: the upstream reads the format from the name's
        extension, which is often missing or wrong in callers' names. Raises UpstreamError.
        """
        language = self.options.language if model.language else ""
        fields = [
            ("model", model.name),
            *((model.language, language) for _ in [language] if language),
            *model.parameters.items(),
            ("response_format", "json"),
        ]
        form = Form(fields, "file", recording)
        answer = self._calls("stt").post("/audio/transcriptions", form, TEXT_BYTES, model)
        text = value_at(json_of(answer), "text")
        if not isinstance(text, str):
            raise UpstreamMalformed(**origin(answer))
        return text_of(text)

    def complete(self, transcript: str, model: Model) -> Reply:
        """The chat model's reply; a refusal is a reply too. Raises UpstreamError."""
        body = self._chat(transcript, model)
        answer = self._calls("text").post("/chat/completions", body, TEXT_BYTES, model)
        choice = value_at(json_of(answer), "choices", 0)
        texts = (text_of(value_at(choice, "message", name)) for name in ("content", "refusal"))
        text = next(filter(None, texts), "")
        if not text:
            raise UpstreamMalformed(**origin(answer))
        whole = value_at(choice, "finish_reason") not in INCOMPLETE
        return Reply(text, None if whole else TextIncomplete(**origin(answer)))

    def stream_reply(self, transcript: str, model: Model) -> Begun[str]:
        """The chat model's reply, delta by delta, once the first is there.

        Raises UpstreamError, and TextIncomplete at the end of a reply that is not finished.
        """
        body = {**self._chat(transcript, model), "stream": True}
        calls = self._calls("text")

        def call(record: CallRecord) -> Generator[str]:
            pieces = calls.pieces(record, "/chat/completions", body, STREAM_BYTES, model)
            with closing(pieces):
                yield from deltas_of(pieces)
                record.is_over = True

        return calls.begun(call)

    def speak(self, text: str, model: Model) -> Spool:
        """The speech of `text` as a whole file, never empty, at its start. Raises UpstreamError."""
        voice, is_wav = self.voice(model), self.options.audio_format == "wav"

        def call(record: CallRecord) -> Spool:
            with ExitStack() as failed:
                speech = self.usage.spool()
                failed.callback(speech.close)
                for piece in voice.speak(text, record):
                    speech.write(piece)
                if is_wav:
                    set_lengths(speech)
                speech.seek(0)
                failed.pop_all()
                return speech

        with closing(voice):
            return self._calls("tts").recorded(call)

    def stream_speech(self, text: str, voice: Voice) -> Begun[bytes]:
        """The speech of `text`, piece by piece, once the first is there. Raises UpstreamError."""
        return self._calls("tts").begun(lambda record: voice.speak(text, record))

    def voice(self, model: Model) -> Voice:
        """The voice of a model; close it after its last text."""
        return voice_of(self._calls("tts"), model, self.options)

    def _calls(self, stage: str) -> Calls:
        return Calls(self.transport, self.upstreams[stage], self.deadline, self.records, self.usage)

    def _chat(self, transcript: str, model: Model) -> dict[str, Any]:
        messages = [
            {"role": "system", "content": self.options.system_prompt},
            *self.options.history,
            {"role": "user", "content": transcript},
        ]
        return {"model": model.name, "messages": messages, **model.parameters}
