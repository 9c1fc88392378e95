"""Speech that can be read back: real pcm, wav and mp3 files whose bytes tell their text."""

import re
import struct

STEP = 240  # samples, 10 ms at 24 kHz, that a byte of the text lasts in PCM
FRAME_TEXT = 10  # bytes of the text that a frame of mp3 carries
# MPEG-2 layer III, 8 kbit/s, 24 kHz, mono: 24 bytes a frame, whose side information says "silence".
# What a silent frame does not need is ancillary data, which every decoder passes over.
FRAME_HEAD = bytes.fromhex("fff314c4") + bytes(9)
WAV_HEAD = struct.pack(
    "<4sI4s4sIHHIIHH4sI",
    *(b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, 24_000, 48_000, 2, 16, b"data", 0xFFFFFFFF),
)
"""The header of a WAV whose length nobody knows yet, as OpenAI streams it."""


def encode(text: str, form: str) -> bytes:
    """`text` as a file of `form`: `pcm`, `wav` or `mp3`, 24 kHz, 16 bit, mono."""
    data = text.encode()
    if form == "mp3":
        parts = [data[at : at + FRAME_TEXT] for at in range(0, len(data), FRAME_TEXT)]
        return b"".join(FRAME_HEAD + bytes([len(p)]) + p.ljust(FRAME_TEXT, b"\0") for p in parts)
    pcm = b"".join(struct.pack("<h", (byte - 128) * 256) * STEP for byte in data)
    return WAV_HEAD + pcm if form == "wav" else pcm


def decode(speech: bytes, form: str) -> str:
    """The text of one file, or of several that were joined; fails on one that is not whole."""
    if form == "mp3":
        frames = [speech[at : at + 24] for at in range(0, len(speech), 24)]
        assert all(len(frame) == 24 and frame.startswith(FRAME_HEAD) for frame in frames)
        return b"".join(frame[14 : 14 + frame[13]] for frame in frames).decode()
    if form == "wav":
        assert speech.startswith(WAV_HEAD)
        speech = re.sub(re.escape(WAV_HEAD), b"", speech)
    steps = [speech[at : at + 2 * STEP] for at in range(0, len(speech), 2 * STEP)]
    assert all(step == step[:2] * STEP for step in steps)
    return bytes(struct.unpack_from("<h", step)[0] // 256 + 128 for step in steps).decode()
