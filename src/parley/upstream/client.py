"""The calls of a conversation to OpenAI's API: what is sent, and what of each answer is used."""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial

from parley.deadline import Deadline
from parley.errors import ModelNotFound, TextIncomplete, UpstreamError, UpstreamMalformed
from parley.memory import Spool, Usage
from parley.models.registry import Model
from parley.recordings import Recording
from parley.upstream.calls import AttemptRecord, Call
from parley.upstream.chat_stream import deltas_of
from parley.upstream.error_reports import SPACE, FailureIn, error_field_of, not_json, report_of
from parley.upstream.json_values import json_in
from parley.upstream.realtime import VoiceReader
from parley.upstream.sent_speech import checked
from parley.upstream.speech_formats import in_format, set_lengths, whole_samples
from parley.wire.transport import Form, Transport, Upstream

TEXT_BYTES = 1_000_000  # The largest answer with a transcript; a reply may have as many characters.
STREAM_BYTES = 16_000_000  # The largest stream of it: an event is many times its delta.
SPEECH_CHARACTERS = 4096  # The longest `input` that /audio/speech takes (OpenAI's API reference).
SPEECH_BYTES = 16_000_000  # The largest speech that is taken, counted after decompression.
VOICE = "alloy"
# Remarks, full stops, dashes and notes (`[BLANK_AUDIO]`, "♪ [Music]."): whisper.cpp's silence.
REMARKS = re.compile(
    r"\A(?:[\s\0\u200b\ufeff.…。\u2013\u2014♪♫🎵🎶-]++|\[++[^\[\]]*+\]++|<[^<>]*+>|\{[^{}]*+\}"
    r"|[(\uff08][^()\uff08\uff09]*+[)\uff09]|【[^【】]*+】)++\Z"
)
# What some hosts leave in a transcript: SenseVoice's `<|en|><|NEUTRAL|>`, Whisper's `<|0.00|>`,
# Qwen3-ASR's `language English<asr_text>`, whisper.cpp's `[00:00:00.000 --> 00:00:02.000]`.
TOKENS = re.compile(
    r"<\|[^<>|]{0,40}\|>|\blanguage \w{1,20}<asr_text>|\[[\d:.]{5,12} --> [\d:.]{5,12}\] *"
)


@dataclass(frozen=True)
class Options:
    """What a request may choose beside its models; each has the name of the field that sets it."""

    system_prompt: str = field(repr=False)
    voice: str = VOICE
    audio_format: str = "mp3"
    language: str = ""  # That of the recording (ISO 639-1); blank where the model finds out.
    history: Sequence[Mapping[str, str]] = field(default=(), repr=False)  # The oldest turn first.


@dataclass
class Client:
    """The calls of one conversation, those of each stage to its own upstream."""

    transport: Transport = field(repr=False)
    upstreams: Mapping[str, Upstream]
    models_used: dict[str, Model]  # By stage; a fallback is put there once it has answered.
    deadline: Deadline
    options: Options
    usage: Usage = field(default_factory=Usage)  # Counts what the conversation holds in memory.
    attempts: list[AttemptRecord] = field(default_factory=list)  # Of all calls, as they began.

    def __post_init__(self) -> None:
        for text in (self.options.system_prompt, *(x["content"] for x in self.options.history)):
            self.usage.add_text(text)

    @property
    def voice(self) -> str:
        """The name of the voice that is used."""
        return self.models_used["tts"].voice_for(self.options.voice)

    def transcribe(self, recording: Recording) -> str:
        """The words of the recording; blank if there were none. Raises UpstreamError."""
        call = self._call("stt")

        def read() -> str:
            model, language = call.model, self.options.language
            fields = [("model", model.name), *model.parameters.items(), ("response_format", "json")]
            if model.language and language:
                fields.append((model.language, language))
            form = Form(fields, "file", recording)
            with call.post("/audio/transcriptions", form, TEXT_BYTES) as answer:
                heard = _transcript_in(answer.whole(call.counted), answer.headers, call.failure_in)
                return REMARKS.sub("", TOKENS.sub("", _well_formed(heard)).strip())

        return call.run(read)

    def complete(self, transcript: str) -> tuple[str, UpstreamError | None]:
        """The chat model's reply; its failure, too, if it is not whole. Raises UpstreamError."""
        call, written = self._call("text"), dict[str, str]()

        def read() -> str:
            deltas: list[str] = []
            try:
                deltas.extend(self._reply_to(transcript, call, is_stream=False))
            finally:
                if text := "".join(deltas).strip():
                    written[call.model.name] = text  # By model: `run` may try the fallback's.
            return text

        try:
            return call.run(read), None
        except UpstreamError as failure:
            text = written.get(call.model.name, "")
            if not text or isinstance(failure, ModelNotFound):
                raise
            call.note_answer()
            return text, failure

    def stream_reply(self, transcript: str) -> Generator[str]:
        """The reply, delta by delta, once the first is there. Raises UpstreamError throughout."""
        call = self._call("text")
        return call.begin(lambda: self._reply_to(transcript, call, is_stream=True))

    def speak(self, text: str) -> Spool:
        """The speech of `text` as a whole file, never empty, at its start. Raises UpstreamError."""
        call = self._call("tts")

        def read() -> Spool:
            with closing(self._speech_of(text, call, None)) as pieces:
                speech = self.usage.spool(pieces)
            if self.options.audio_format == "wav":
                set_lengths(speech)
                speech.seek(0)
            return speech

        return call.run(read)

    def stream_speech(self, text: str, reader: VoiceReader | None = None) -> Generator[bytes]:
        """The speech of `text`, piece by piece, once the first is there. Raises UpstreamError."""
        call = self._call("tts")
        return call.begin(lambda: self._speech_of(text, call, reader))

    def _call(self, stage: str) -> Call:
        shared = self.models_used, self.deadline, self.usage, self.attempts
        return Call(self.transport, self.upstreams[stage], stage, *shared)

    def _reply_to(self, transcript: str, call: Call, *, is_stream: bool) -> Generator[str]:
        """The reply's deltas, TEXT_BYTES characters at most; a host may stream unasked."""
        messages = [
            {"role": "system", "content": self.options.system_prompt},
            *self.options.history,
            {"role": "user", "content": transcript},
        ]
        # JavaScript cuts texts within a character, and hosts refuse half of one.
        messages = [{**turn, "content": _well_formed(turn["content"])} for turn in messages]
        asked = {"model": call.model.name, "messages": messages, **call.model.parameters}
        size = 0
        with call.post("/chat/completions", {**asked, "stream": is_stream}, STREAM_BYTES) as answer:
            pieces = answer.pieces() if is_stream else call.counted(answer.pieces())
            try:
                for delta in deltas_of(pieces, partial(call.failure_in, trusts_names=True)):
                    yield delta
                    if (size := size + len(delta)) > TEXT_BYTES:
                        raise UpstreamMalformed()
            except TextIncomplete:
                answer.drain()
                raise
            answer.drain()

    def _speech_of(self, text: str, call: Call, reader: VoiceReader | None) -> Generator[bytes]:
        voice, audio_format = call.model.voice_for(self.options.voice), self.options.audio_format
        if call.model.interface == "realtime":
            with (
                nullcontext(reader) if reader else closing(VoiceReader()) as opened,
                closing(opened.read_aloud(text, voice, call)) as pcm,
            ):
                # At once, since PCM is six times as large as mp3.
                yield from in_format(pcm, audio_format, call.deadline)
            return
        body = {"model": call.model.name, "input": text, "voice": voice}
        body |= {"response_format": audio_format, **call.model.parameters}
        with call.post("/audio/speech", body, SPEECH_BYTES) as answer:
            pieces = checked(answer.pieces(), audio_format, answer.headers, call.failure_in)
            yield from whole_samples(pieces) if audio_format == "pcm" else pieces


def _well_formed(text: str) -> str:
    """The text, in which half a surrogate pair becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _transcript_in(body: bytes, headers: Mapping[str, str], failure_in: FailureIn) -> str:
    """The text as it was sent: in JSON, alone in JSON, or, where the answer says so, as it is."""
    match json_in(body):
        case heard if error_field_of(heard):
            raise failure_in(heard)
        case {"text": None}:
            return ""
        case {"text": str(text)} | str(text):
            return text
        case dict() | list() as heard:
            raise failure_in(heard) if report_of(heard).message else UpstreamMalformed()
    is_plain = headers.get("content-type", "").lower().startswith("text/plain")
    if is_plain and body and (sent := body.strip(SPACE))[:1] not in (b"<", b"{"):
        with suppress(UnicodeDecodeError):
            return sent.decode()
    raise not_json(body)
