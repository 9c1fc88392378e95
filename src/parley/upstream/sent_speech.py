"""Speech as an upstream sends it: what it begins with must be what was asked for."""

import codecs
import re
from collections.abc import Iterator, Mapping

from parley.errors import UpstreamMalformed
from parley.mpeg_audio import HEADER_BYTES, frame_at, has_two_frames_at
from parley.upstream.error_reports import FailureIn, error_field_of, report_of
from parley.upstream.json_values import json_in
from parley.upstream.speech_formats import AUDIO_FORMATS, RATE
from parley.wire.bodies import filled

TEXT_BYTES = 512  # How much of PCM tells that it is text instead: samples can be letters.
FIRST_BYTES = {"mp3": HEADER_BYTES, "wav": 12, "pcm": TEXT_BYTES}  # How many tell the format.
REASON_BYTES = 64 * 1024  # The longest JSON that is read for why it came instead of speech.
PCM_HEADERS = ("x-sample-rate", "x-audio-sample-rate", "x-channels", "x-audio-channels")
# What hosts say of PCM in those headers or its type's parameters: a name's end, ours, sentences.
PCM = (
    (r"(?:sample[_-]?)?rate", RATE, f"at {{}} Hz where {RATE} Hz was asked for", "the rate"),
    (r"channels", 1, "of {} channels where one was asked for", "how many"),
)
# How what comes instead begins, and what it is called.
SIGNATURES = {
    "WAV": rb"RIFF.{4}WAVE",
    "RF64, BW64 or RIFX": rb"(?:RF64|BW64|RIFX).{4}WAVE",
    "mp3": rb"ID3",
    "Ogg": rb"OggS",
    "FLAC": rb"fLaC",
    "AAC": rb"\xff[\xf0\xf1\xf8\xf9]",
    "MP4": rb".{4}ftyp",
    "WebM": rb"\x1a\x45\xdf\xa3",
    "AIFF": rb"FORM.{4}AIF[FC]",
    "JSON": rb"(?:\xef\xbb\xbf)?\s*[{\[]",
    "a web page": rb"(?:\xef\xbb\xbf)?\s*<",
}


def checked(
    pieces: Iterator[bytes], audio_format: str, headers: Mapping[str, str], failure_in: FailureIn
) -> Iterator[bytes]:
    """The pieces of speech in one of the AUDIO_FORMATS, once they begin as such speech does.

    Raises UpstreamMalformed, which says what came instead, and what `failure_in` makes of JSON.
    """
    if audio_format == "pcm":
        _require_rate(headers)
    head = filled(b"", pieces, FIRST_BYTES[audio_format])
    if audio_format == "pcm" and (frame := frame_at(head)):
        head = filled(head, pieces, frame.length + HEADER_BYTES)
    if not _begins(head, audio_format):
        head = filled(head, pieces, TEXT_BYTES)  # Enough to tell what came.
        came = _name(head, headers)
        if came == "JSON":
            body = filled(head, pieces, REASON_BYTES + 1)
            value = json_in(body) if len(body) <= REASON_BYTES else None
            if error_field_of(value) or report_of(value).message:
                raise failure_in(value)
        advice = "check the base URL" if "page" in came else "name another model, voice or host"
        if came.lower() in AUDIO_FORMATS:  # The page looks for "ask for wav", and does so itself.
            advice = f"ask for {came.lower()} (audio_format={came.lower()}), or name another model"
        sentence = f"The upstream sent {came} where {audio_format} was asked for; {advice}."
        raise UpstreamMalformed(sentence)
    if head:
        yield head
    yield from pieces


def _begins(head: bytes, audio_format: str) -> bool:
    if audio_format == "wav":
        return head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    if audio_format == "mp3":
        return head[:3] == b"ID3" or frame_at(head) is not None
    is_file = head.startswith((b"RIFF", b"ID3", b"OggS", b"fLaC")) or has_two_frames_at(head)
    return not is_file and not _is_text(head[:TEXT_BYTES])


def _is_text(head: bytes) -> bool:
    """Whether bytes are printable UTF-8, of which the last character may be cut."""
    # Other bytes become halves of surrogate pairs, which are not printable.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head)
    return bool(text) and all(c.isprintable() or c in "\t\r\n\ufeff" for c in text)


def _name(head: bytes, headers: Mapping[str, str]) -> str:
    for name, signature in SIGNATURES.items():
        if re.match(signature, head, re.DOTALL):
            return name
    if has_two_frames_at(head):
        return "mp3"
    if _is_text(head[:TEXT_BYTES]):
        return "text"
    is_pcm = re.match(r"(?i)audio/(?:pcm|l16)", headers.get("content-type", ""))
    return "pcm" if is_pcm else "something else"


def _require_rate(headers: Mapping[str, str]) -> None:
    named = (f";{name}={headers.get(name)}" for name in PCM_HEADERS)
    declared = headers.get("content-type", "") + "".join(named)
    for name, ours, said, tells in PCM:
        values = rf";\s*(?:x-(?:audio-)?)?{name}\s*=\s*\"?(\d{{1,9}})(?:\.0*)?(?=\s*(?:[\",;]|\Z))"
        for found in re.finditer(values, declared, re.IGNORECASE | re.ASCII):
            if int(found[1]) != ours:
                advice = f"ask for wav (audio_format=wav), whose header says {tells}"
                raise UpstreamMalformed(f"The upstream sent pcm {said.format(found[1])}; {advice}.")
