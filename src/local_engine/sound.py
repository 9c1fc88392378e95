"""Speech in the formats that the upstream speaks: PCM to mp3, opus, aac, flac, wav and pcm."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

BIT_RATE = 64_000  # of the lossy formats: plenty for one voice


QUICK = {"compression_level": "7"}  # half of LAME's time, and no ear can tell
BARE = {"write_xing": "0", "id3v2_version": "0"}  # no length, which a stream does not know


class Format(NamedTuple):
    container: str
    codec: str
    mimetype: str
    options: dict[str, str]


FORMATS = {
    "mp3": Format("mp3", "libmp3lame", "audio/mpeg", BARE),
    "opus": Format("ogg", "libopus", "audio/opus", {}),
    "aac": Format("adts", "aac", "audio/aac", {}),
    "flac": Format("flac", "flac", "audio/flac", {}),
    "wav": Format("wav", "pcm_s16le", "audio/wav", {}),
    "pcm": Format("s16le", "pcm_s16le", "audio/pcm", {}),
}


class Pipe(list[bytes]):
    """What PyAV writes to: it cannot seek, so that no header waits for the speech's end."""

    write = list.append


def encode(parts: Iterable[NDArray[np.int16]], rate: int, form: Format) -> Iterator[bytes]:
    """Encode mono samples at `rate` Hz; yields the bytes of each part as soon as they are there."""
    pipe = Pipe()
    with av.open(pipe, "w", format=form.container, options=form.options) as container:
        stream: Any = container.add_stream(
            form.codec, rate, QUICK, bit_rate=BIT_RATE, layout="mono"
        )
        for part in parts:
            frame = av.AudioFrame.from_ndarray(part[np.newaxis], format="s16", layout="mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            yield b"".join(pipe)
            pipe.clear()
        container.mux(stream.encode(None))
    yield b"".join(pipe)
