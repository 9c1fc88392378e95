"""What the page recorded: the file as it came to the upstream, and how its form field was named."""

import io
from contextlib import suppress
from dataclasses import dataclass

import av
import numpy as np
from testing.fake_openai import Upstream

RATE = 16_000

# Notes how files are named in forms, since the service takes no notice of it.
NOTE_FORMS = """
window.sent = [];
const append = FormData.prototype.append;
FormData.prototype.append = function (name, value, ...rest) {
  if (value instanceof Blob) window.sent.push({ name, type: value.type, file: rest[0] });
  return append.call(this, name, value, ...rest);
};
"""


@dataclass
class Recorded:
    """A recording that the upstream was asked to transcribe."""

    bytes: bytes
    samples: np.ndarray  # At RATE, from -1 to 1; what cannot be decoded is missing.
    seconds: float  # By its container: WebKitGTK's muxer spoils all but a recording's beginning.

    def loudest(self, after: float = 0) -> float:
        return float(np.abs(self.samples[int(after * RATE) :]).max(initial=0))


def recorded(upstream: Upstream) -> Recorded:
    """The file of the last request for a transcript."""
    request = [request for request in upstream.requests if request.stage == "stt"][-1]
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    [part] = [part for part in request.body.split(b"--" + boundary) if b"filename=" in part]
    file = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    samples, seconds = [], 0.0
    with av.open(io.BytesIO(file)) as container:
        for packet in container.demux(audio=0):
            seconds += float((packet.duration or 0) * packet.time_base)
            with suppress(av.error.FFmpegError):
                resampled = [r for frame in packet.decode() for r in resampler.resample(frame)]
                samples += [frame.to_ndarray()[0] for frame in resampled]
    return Recorded(file, np.concatenate(samples), seconds)
