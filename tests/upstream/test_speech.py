"""Speech is judged by its first bytes and by its words, and PCM becomes files."""

import io
import struct
import tracemalloc
import wave

import av
import pytest
from testing.fake_realtime import PCM

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded, UpstreamMalformed
from parley.memory import Usage
from parley.upstream.realtime import is_read_word_for_word
from parley.upstream.sent_speech import REASON_BYTES, checked
from parley.upstream.speech_formats import CHUNKS, PIECE_BYTES, WAV_HEADER, in_format, set_lengths

LONG_FRAMES = bytes.fromhex("fff5e8c4").ljust(1440, b"\x01") * 4
SAMPLES = bytes(range(256)) * 8
LIST = struct.pack("<4sI", b"LIST", 5) + b"INFO!" + b"\0"
JUNK = struct.pack("<4sI", b"JUNK", 100_000) + bytes(100_000)


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
    pieces = (speech[at : at + 1] for at in range(len(speech)))
    passed_on = checked(pieces, audio_format, {}, pytest.fail)
    if came is None:
        assert b"".join(passed_on) == speech
    else:
        with pytest.raises(UpstreamMalformed, match=f"upstream sent {came} where {audio_format}"):
            next(passed_on)


def arriving(*pieces: bytes):
    """These pieces, and a failure where more is read."""
    yield from pieces
    pytest.fail("read on")


def test_no_more_is_read_than_tells_what_came():
    """Of mp3 four bytes, without its second frame; of JSON as much as a short reason has."""
    speech = checked(arriving(b"\xff\xfb", b"\x90\x64"), "mp3", {}, pytest.fail)
    assert next(speech) == b"\xff\xfb\x90\x64"
    reason = arriving(b'{"error": "', b"x" * REASON_BYTES)
    with pytest.raises(UpstreamMalformed, match="JSON"):
        list(checked(reason, "mp3", {}, pytest.fail))


@pytest.mark.parametrize("reason", [b'{"error": "Busy"}', b'[{"message": "Busy"}]'])
def test_a_failure_that_comes_instead_of_speech_is_told(reason):
    """Also where hosts tell it without an `error`."""
    told = OSError("a failure that JSON tells")
    with pytest.raises(OSError, match="JSON tells"):
        list(checked(iter([reason]), "mp3", {}, lambda value: told))


def with_lengths(wav: bytes) -> bytes:
    spool = Usage().spool()
    spool.write(wav)
    set_lengths(spool)
    spool.seek(0)
    return spool.read()


@pytest.mark.parametrize("other", [b"", LIST, JUNK], ids=["header alone", "chunk", "long chunk"])
def test_a_whole_wav_says_how_long_it_is(other):
    """Whatever stands between its format and its samples (RIFF: chunks are padded to be even)."""
    streamed = WAV_HEADER[:36] + other + WAV_HEADER[36:] + SAMPLES
    whole = with_lengths(streamed)
    assert whole[:4] + whole[8:36] == streamed[:4] + streamed[8:36]
    with wave.open(io.BytesIO(whole)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.readframes(file.getnframes()) == SAMPLES
    assert struct.unpack("<I", whole[4:8])[0] == len(whole) - 8
    assert with_lengths(whole) == whole


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ID3",
        WAV_HEADER[:40],
        WAV_HEADER[:20] + b"\xff" * 100,
        b"RIFF" * 9,
        WAV_HEADER[:12] + bytes(8) * CHUNKS + WAV_HEADER[12:] + SAMPLES,
    ],
)
def test_what_is_no_wav_stays_as_it_is(data):
    assert with_lengths(data) == data


def mp3(pcm, seconds: float = 60) -> bytes:
    return b"".join(in_format(pcm, "mp3", Deadline.after(seconds)))


def test_speech_is_encoded_as_it_arrives(monkeypatch):
    """A sample may be cut. Long answers must not fill a small container; others get their turns."""
    turns = []
    monkeypatch.setattr("parley.upstream.speech_formats.let_others_run", lambda: turns.append(1))
    assert mp3([PCM[:9999], PCM[9999:]]) == mp3([PCM[:10_000], PCM[10_000:]])
    turns.clear()
    tracemalloc.start()
    speech = mp3(bytes(10 * PIECE_BYTES) for _ in range(24))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with av.open(io.BytesIO(speech)) as container:
        assert round(container.duration / av.time_base) == 100
    assert len(turns) == 240
    assert peak < 240 * PIECE_BYTES * 0.8
    with pytest.raises(DeadlineExceeded):
        mp3([bytes(48_000_000)], 0.05)


LONG = "Paris lies on the Seine. " * 30
QUESTION = "Shall I tell you more about its bridges?"
OTHER = "I am an assistant and cannot read that aloud."


@pytest.mark.parametrize(
    ("text", "transcript", "same"),
    [
        ("It is Paris.", "it\u2019s PARIS", True),
        ("It's not far; they aren't late.", "It isn't far. They're not late!", True),
        (f"{LONG} {QUESTION}", f"{LONG} {OTHER}", False),
        (f"{QUESTION} {LONG}", f"{OTHER} {LONG}", False),
        (f"{LONG} {LONG}", LONG, False),
        ("東京です。", "東京です", True),
        ("It is Paris.", "It is not Paris.", False),
        ("It is Paris.", "", False),
    ],
)
def test_only_case_punctuation_and_a_few_letters_may_differ(text, transcript, same):
    """Other words are told from the same words in another spelling."""
    assert is_read_word_for_word(text, transcript) is same
