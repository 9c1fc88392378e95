"""Frames of MPEG audio (ISO/IEC 11172-3 and 13818-3), told as mutagen and FFmpeg's probe do."""

from typing import NamedTuple

HEADER_BYTES = 4
LONGEST_FRAME = 2881  # In bytes: layer II of version 2.5, at 8 kHz and 160 kbit/s, padded.
BIT_RATES = {
    (1, 1): range(0, 480, 32),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (_LOW := (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)),
    (2, 3): _LOW,
}
"""In kbit/s, by version (2 is 2.5, too) and layer, then the field's bits; 0 is free: unknown."""
SAMPLING_RATES = {
    0b11: (44_100, 48_000, 32_000),  # version 1
    0b10: (22_050, 24_000, 16_000),  # version 2
    0b00: (11_025, 12_000, 8_000),  # version 2.5, which is not ISO's, but everybody plays it
}  # In Hz, by the two bits of the version.


class Frame(NamedTuple):
    """What a frame's header says; two frames of one stream agree in `stream`."""

    stream: tuple[int, int, int]  # The bits of its version, its layer and its sampling rate in Hz.
    length: int  # In bytes with the header; 0 where the bit rate is free, so that nobody knows it.
    longest: int  # The length of such a frame at the highest bit rate.


def frame_at(data: bytes, start: int = 0) -> Frame | None:
    """The frame whose header stands at `start`, or None. Layer 0 is reserved: ADTS AAC has it."""
    header = data[start : start + HEADER_BYTES]
    if len(header) < HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 0b11, 4 - (header[1] >> 1 & 0b11)
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 0b11
    if version not in SAMPLING_RATES or layer == 4 or bit_rate == 0b1111 or rate == 0b11:
        return None
    sampling_rate = SAMPLING_RATES[version][rate]
    rates = BIT_RATES[1 if version == 0b11 else 2, layer]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 0b11 else 1152
    slot, padding = 4 if layer == 1 else 1, header[2] >> 1 & 1  # In bytes, and in slots.
    length, longest = (
        slot * (samples // 8 // slot * 1000 * kilobits // sampling_rate + padding)
        for kilobits in (rates[bit_rate], rates[-1])
    )
    return Frame((version, layer, sampling_rate), length if bit_rate else 0, longest)


def has_two_frames_at(data: bytes, start: int = 0) -> bool:
    """Whether two frames that agree stand at `start`: one sync word can begin a text in UTF-16."""
    first = frame_at(data, start)
    second = frame_at(data, start + first.length) if first and first.length else None
    return bool(first and second and second.stream == first.stream)
