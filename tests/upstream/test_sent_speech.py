"""Speech is judged by its first bytes, however few of them arrive at a time."""

import pytest

from parley.errors import UpstreamMalformed
from parley.upstream.sent_speech import REASON_BYTES, checked

LONG_FRAMES = bytes.fromhex("fff5e8c4").ljust(1440, b"\x01") * 4
SAMPLES = bytes(range(256)) * 8


def bytewise(speech: bytes, audio_format: str) -> bytes:
    pieces = (speech[at : at + 1] for at in range(len(speech)))
    return b"".join(checked(pieces, audio_format, {}, pytest.fail))


@pytest.mark.parametrize(
    ("audio_format", "speech", "came"),
    [
        ("mp3", b"ID3" + SAMPLES, None),
        ("wav", b"RIFF\0\0\0\0WAVE" + SAMPLES, None),
        ("pcm", SAMPLES, None),
        ("pcm", LONG_FRAMES[:4] + SAMPLES, None),
        ("pcm", b"ab\0\0", None),
        ("mp3", b"RIFF\0\0\0\0WAVE" + SAMPLES, "WAV"),
        ("wav", b"ID3\x04" + SAMPLES, "mp3"),
        ("pcm", LONG_FRAMES, "mp3"),
        ("pcm", "€".encode() * 500, "text"),
    ],
)
def test_speech_that_comes_byte_by_byte_is_judged_as_any(audio_format, speech, came):
    """No byte is lost where it was looked at; enough is waited for to tell what came."""
    if came is None:
        assert bytewise(speech, audio_format) == speech
    else:
        with pytest.raises(UpstreamMalformed, match=f"upstream sent {came} where {audio_format}"):
            bytewise(speech, audio_format)


def test_no_more_than_a_short_reason_is_read():
    """JSON that came instead of speech may be long."""

    def pieces():
        yield b'{"error": "'
        yield b"x" * REASON_BYTES
        pytest.fail("read on")

    with pytest.raises(UpstreamMalformed, match="JSON"):
        list(checked(pieces(), "mp3", {}, pytest.fail))


@pytest.mark.parametrize("reason", [b'{"error": "Busy"}', b'[{"message": "Busy"}]'])
def test_a_failure_that_comes_instead_of_speech_is_told(reason):
    """Also where hosts tell it without an `error`."""
    told = OSError("a failure that JSON tells")
    with pytest.raises(OSError, match="JSON tells"):
        list(checked(iter([reason]), "mp3", {}, lambda value: told))


def test_speech_is_passed_on_as_soon_as_it_is_judged():
    """The first sound waits for four bytes of mp3, and not for its second frame."""
    arrived = []

    def pieces():
        for piece in (b"\xff\xfb", b"\x90\x64", b"more", b"more"):
            arrived.append(piece)
            yield piece

    speech = checked(pieces(), "mp3", {}, pytest.fail)
    assert next(speech) == b"\xff\xfb\x90\x64"
    assert len(arrived) == 2
