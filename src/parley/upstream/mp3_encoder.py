"""PCM as mp3, encoded piece by piece while the PCM still arrives."""

import lameenc

from parley.deadline import Deadline, let_others_run
from parley.errors import UpstreamMalformed

RATE = 24_000
"""Samples a second: the rate of all the PCM that the upstream sends."""

BIT_RATE = 64
"""Thousands of bits a second of mp3: plenty for one voice."""

SAMPLE_BYTES = 2
PIECE_BYTES = 20_000
"""How much PCM is encoded at once: less than a millisecond of work, so that others can go on."""


class Mp3Encoder:
    """Turns 16-bit mono little-endian samples at RATE into mp3."""

    def __init__(self, deadline: Deadline) -> None:
        """Encode until the deadline; from then on `feed` raises its error."""
        self._deadline = deadline
        self._half_sample = b""
        self._has_samples = False
        self._lame = lameenc.Encoder()
        self._lame.silence()
        self._lame.set_in_sample_rate(RATE)
        self._lame.set_channels(1)
        self._lame.set_bit_rate(BIT_RATE)
        self._lame.set_quality(7)  # This takes half of LAME's usual time and sounds the same.

    def feed(self, pcm: bytes) -> bytes:
        """The mp3 that is ready after these samples; PCM may be cut anywhere, even in a sample."""
        pcm = self._half_sample + pcm
        whole = len(pcm) - len(pcm) % SAMPLE_BYTES
        self._half_sample = pcm[whole:]
        mp3 = []
        for start in range(0, whole, PIECE_BYTES):
            let_others_run()  # Encoding takes 35 ms for each MB.
            self._deadline.left()
            self._has_samples = True
            mp3.append(bytes(self._lame.encode(pcm[start : min(start + PIECE_BYTES, whole)])))
        return b"".join(mp3)

    def finish(self) -> bytes:
        """The rest of the mp3; raise UpstreamMalformed if there were no samples or a half one."""
        if self._half_sample or not self._has_samples:
            raise UpstreamMalformed()
        return bytes(self._lame.flush())
