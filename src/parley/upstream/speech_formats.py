"""The formats of speech, and how PCM becomes them, piece by piece while it still arrives."""

import struct
from collections.abc import Iterable, Iterator

import lameenc

from parley.deadline import Deadline, let_others_run
from parley.errors import UpstreamMalformed
from parley.memory import Spool

# By name, the media types of the formats of speech that every interface can give.
AUDIO_FORMATS = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
RATE, SAMPLE_BYTES = 24_000, 2  # Samples a second, and bytes of each: mono, little-endian.
BIT_RATE = 64  # Thousands of bits a second of mp3: plenty for one voice.
PIECE_BYTES = 20_000  # How much PCM is encoded at once, in less than a millisecond.
STREAMED = 0xFFFFFFFF  # A WAV's length where nobody knows it yet, as OpenAI writes it.
# What comes before the samples (RFC 2361).
WAV_HEADER = struct.pack(
    "<4sI4s4sIHHIIHH4sI",
    *(b"RIFF", STREAMED, b"WAVE"),
    *(b"fmt ", 16, 1, 1, RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES, 16),
    *(b"data", STREAMED),
)
CHUNKS = 100  # How many of a WAV are looked at; a handful stand before the samples.


def in_format(pcm: Iterable[bytes], audio_format: str, deadline: Deadline) -> Iterator[bytes]:
    """A file in one of AUDIO_FORMATS, in pieces; raises as `whole_samples` and the deadline do."""
    samples = whole_samples(pcm)
    if audio_format == "mp3":
        yield from _mp3(samples, deadline)
        return
    header = WAV_HEADER if audio_format == "wav" else b""
    for piece in samples:
        yield header + piece
        header = b""


def whole_samples(pcm: Iterable[bytes]) -> Iterator[bytes]:
    """The samples of PCM that is cut anywhere; raise UpstreamMalformed for none, or a half one."""
    half, is_empty = b"", True
    for arrived in pcm:
        piece = half + arrived
        whole = len(piece) - len(piece) % SAMPLE_BYTES
        half = piece[whole:]
        if whole:
            is_empty = False
            yield piece[:whole]
    if half or is_empty:
        raise UpstreamMalformed()


def _mp3(samples: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_in_sample_rate(RATE)
    lame.set_channels(1)
    lame.set_bit_rate(BIT_RATE)
    lame.set_quality(7)  # This takes half of LAME's usual time and sounds the same.
    for piece in samples:
        for start in range(0, len(piece), PIECE_BYTES):
            let_others_run()  # Encoding takes 35 ms for each MB.
            deadline.require_time()
            if mp3 := bytes(lame.encode(piece[start : start + PIECE_BYTES])):
                yield mp3
    yield bytes(lame.flush())


def set_lengths(wav: Spool) -> None:
    """Write its lengths into a whole WAV whose header has 0, 0xFFFFFFFF or others too large."""
    start = 12
    for _ in range(CHUNKS):
        wav.seek(start)
        if len(head := wav.read(8)) < 8:
            return
        start += 8
        name, size = struct.unpack("<4sI", head)
        left = wav.size - start
        if name == b"data" and not 0 < size <= left:
            for position, length in ((4, wav.size - 8), (start - 4, left)):
                wav.seek(position)
                wav.write(struct.pack("<I", length))
        if name == b"data":
            return
        start += size + size % 2  # Chunks have even lengths.
