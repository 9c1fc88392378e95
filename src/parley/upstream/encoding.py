"""PCM as mp3, as it arrives."""

import time

import lameenc

from parley.deadline import Deadline

RATE = 24_000
BIT_RATE = 64
"""Samples a second, and thousands of bits a second of mp3: plenty for one voice."""

SAMPLE_BYTES = 2
PIECE_BYTES = 20_000
"""How much is encoded at once: under a millisecond, so that nobody waits for it noticeably."""


class Encoder:
    """Turns 16-bit mono little-endian samples at RATE into mp3, piece by piece."""

    def __init__(self, deadline: Deadline) -> None:
        """Encode until the deadline; what encodes raises its error from then on."""
        self._deadline = deadline
        self._rest = b""
        self._is_begun = False
        self._lame = lameenc.Encoder()
        self._lame.silence()
        self._lame.set_in_sample_rate(RATE)
        self._lame.set_channels(1)
        self._lame.set_bit_rate(BIT_RATE)
        self._lame.set_quality(7)  # Half of LAME's time, and no ear can tell.

    def encode(self, pcm: bytes) -> bytes:
        """The mp3 that is ready with these samples; they may be cut anywhere."""
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % SAMPLE_BYTES
        self._rest = pcm[whole:]
        speech = []
        for start in range(0, whole, PIECE_BYTES):
            time.sleep(0)  # Lets others run: encoding takes 35 ms for each MB.
            self._deadline.left()
            self._is_begun = True
            speech.append(bytes(self._lame.encode(pcm[start : min(start + PIECE_BYTES, whole)])))
        return b"".join(speech)

    def finish(self) -> bytes:
        """The rest of the mp3; raise ValueError where there were no samples or a half one."""
        if self._rest or not self._is_begun:
            raise ValueError("no whole samples")
        return bytes(self._lame.flush())
