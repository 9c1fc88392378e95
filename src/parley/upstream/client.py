"""The calls of a conversation to OpenAI's API: what is sent, and what of each answer is used.

Rules and limits that are not ours come from OpenAI's API reference.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

from parley.deadline import Deadline
from parley.errors import ModelNotFound, TextIncomplete, UpstreamError, UpstreamMalformed
from parley.memory import Spool, Usage
from parley.models.registry import Model
from parley.recordings import Recording
from parley.upstream.calls import Begun, CallRecord, Calls
from parley.upstream.chat_stream import deltas_of
from parley.upstream.encodings import set_lengths
from parley.upstream.error_reports import error_in, report_of
from parley.upstream.json_values import json_in, text_of
from parley.upstream.options import Options
from parley.upstream.voices import Voice, voice_of
from parley.wire.messages import Answer, Form, Upstream
from parley.wire.transport import Transport

TEXT_BYTES = 1_000_000
"""The largest text that is taken, counted after decompression."""

STREAM_BYTES = 16_000_000
"""The largest stream of a text: each delta comes in an event that is many times its length."""

REMARKS = re.compile(
    r"\A(?:\s*+(?:\[[^\[\]]*+\]|[(\uff08][^()\uff08\uff09]*+[)\uff09]|【[^【】]*+】))+\Z"
)
"""A transcript of remarks alone (`[BLANK_AUDIO]`): whisper.cpp has one for each silent segment."""


@dataclass(frozen=True)
class Reply:
    """What a chat model said, never blank, and a failure if that is not whole."""

    text: str = field(repr=False)
    failure: UpstreamError | None = None


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
        calls = self._calls("stt")
        failure_in = calls.failure_in(model)

        def read(answer: Answer) -> str:
            heard = json_in(answer.body)
            if error_in(heard):
                raise failure_in(heard)
            match heard:
                case {"text": None}:
                    return ""
                case {"text": str(text)}:
                    return REMARKS.sub("", text_of(text).strip())
            if report_of(heard).message:
                raise failure_in(heard)
            raise UpstreamMalformed()

        return calls.post("/audio/transcriptions", form, TEXT_BYTES, model, read)

    def complete(self, transcript: str, model: Model) -> Reply:
        """The chat model's reply; a refusal is a reply too. Raises UpstreamError.

        What was written before a failure is the reply, if no other try brought a whole one.
        """
        body = {**self._chat(transcript, model), "stream": False}
        calls, written = self._calls("text"), ""

        def call(record: CallRecord) -> str:
            nonlocal written
            parts: list[str] = []
            size = 0
            try:
                with closing(self._deltas(calls, record, body, model)) as deltas:
                    for delta in deltas:
                        parts.append(delta)
                        if (size := size + len(delta)) > TEXT_BYTES:
                            raise UpstreamMalformed()
            finally:
                written = "".join(parts).strip() or written
            return written

        try:
            return Reply(calls.recorded(call))
        except UpstreamError as failure:
            if not written or isinstance(failure, ModelNotFound):
                raise
            return Reply(written, failure)

    def stream_reply(self, transcript: str, model: Model) -> Begun[str]:
        """The chat model's reply, delta by delta, once the first is there.

        Raises UpstreamError, and TextIncomplete at the end of a reply that is not finished.
        """
        body = {**self._chat(transcript, model), "stream": True}
        calls = self._calls("text")
        return calls.begun(lambda record: self._deltas(calls, record, body, model))

    def _deltas(
        self, calls: Calls, record: CallRecord, body: Mapping[str, Any], model: Model
    ) -> Generator[str]:
        """One try of a reply; a host may answer with a stream or without one, whatever is asked."""
        pieces = calls.pieces(record, "/chat/completions", body, STREAM_BYTES, model)
        with closing(pieces):
            arriving = pieces if body["stream"] else calls.counted(pieces)
            try:
                yield from deltas_of(arriving, calls.failure_in(model, is_event=True))
            except TextIncomplete:
                record.is_over = True
                raise
            record.is_over = True

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
