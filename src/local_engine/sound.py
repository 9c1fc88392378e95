"""Speech into the formats that the upstream speaks: PCM to mp3, opus, aac, flac, wav and pcm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
BIT_RATE = 64_000  # of the lossy formats: transparent for one voice, and half the upload


class Format(NamedTuple):
    container: str
    codec: str
    mimetype: str
    options: dict[str, str] = {}


FORMATS = {
    # Bare frames: a Xing header would promise a length that a stream cannot know.
    "mp3": Format("mp3", "libmp3lame", "audio/mpeg", {"write_xing": "0", "id3v2_version": "0"}),
    "opus": Format("ogg", "libopus", "audio/opus"),
    "aac": Format("adts", "aac", "audio/aac"),
    "flac": Format("flac", "flac", "audio/flac"),
    "wav": Format("wav", "pcm_s16le", "audio/wav"),
    "pcm": Format("s16le", "pcm_s16le", "audio/pcm"),
}


class Pipe:
    """What PyAV writes to: it cannot seek, so no header waits for the end of the speech."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def drain(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._written)
        self._written.clear()
        return data


def encode(parts: Iterable[Pcm], rate: int, to: Format) -> Iterator[bytes]:
    """Encode mono PCM at `rate` Hz, yielding the bytes of each part as soon as they are there."""
    pipe = Pipe()
    with av.open(pipe, "w", format=to.container, options=to.options) as container:
        stream = container.add_stream(to.codec, rate=rate, bit_rate=BIT_RATE, layout="mono")
        for part in parts:
            frame = av.AudioFrame.from_ndarray(part[np.newaxis], format="s16", layout="mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            yield pipe.drain()
        container.mux(stream.encode(None))
    yield pipe.drain()
