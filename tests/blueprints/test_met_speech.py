"""Speech as upstreams send it: what begins as it was asked for is passed on, and nothing else."""

import struct

import pytest
from testing.builders import KEY
from testing.fake_openai import REPLY, TRANSCRIPT
from testing.met_answers import answers
from testing.representations import JSON, REPRESENTATIONS, STREAM, bodies, post, told

FRAMES = bytes.fromhex("fffb9064").ljust(417, b"\x55") * 8
RIFF = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(600)
NOISE = struct.pack("<400h", *range(-20_000, 20_000, 100))
GOOD = {
    "ID3": ("mp3", b"ID3\x04" + bytes(600), {}),
    "a frame": ("mp3", FRAMES[:417], {}),
    "a frame as text/html": ("mp3", FRAMES, {"Content_Type": "text/html"}),
    "WAV": ("wav", RIFF, {}),
    "samples": ("pcm", NOISE, {}),
    "silence": ("pcm", bytes(4800), {}),
    "a few samples": ("pcm", NOISE[:6], {}),
    "samples like letters for long": ("pcm", b"ab" * 200 + NOISE, {}),
    "samples like a sync word": ("pcm", FRAMES[:4] + NOISE, {}),
    "the rate that was asked for": ("pcm", NOISE, {"x_sample_rate": "24000"}),
    "one channel by a header": ("pcm", NOISE, {"x_sample_rate": "24000.0", "x_channels": "1"}),
    "the rate in the type": ("pcm", NOISE, {"Content_Type": "audio/pcm;rate=24000;channels=1"}),
    "another rate in a file": ("wav", RIFF, {"x_sample_rate": "22050"}),
}
BAD = {
    "WAV as mp3": ("mp3", RIFF, {}, "WAV"),
    "Ogg as mp3": ("mp3", b"OggS\x00\x02" + bytes(600), {}, "Ogg"),
    "FLAC as mp3": ("mp3", b"fLaC" + bytes(600), {}, "FLAC"),
    "AAC as mp3": ("mp3", bytes.fromhex("fff15080") + bytes(600), {}, "AAC"),
    "MP4 as mp3": ("mp3", b"\0\0\0\x20ftypM4A " + bytes(600), {}, "MP4"),
    "WebM as mp3": ("mp3", b"\x1a\x45\xdf\xa3" + bytes(600), {}, "WebM"),
    "samples as mp3": ("mp3", NOISE, {"Content_Type": "audio/pcm"}, "pcm"),
    "zeros as mp3": ("mp3", bytes(600), {}, "something else"),
    "a sentence as mp3": ("mp3", b"The voice is not here.", {}, "text"),
    "a web page as mp3": ("mp3", b"<p>Busy</p>", {}, "page where mp3 was asked for; check"),
    "JSON as mp3": ("mp3", b'{"audio": "SUQz"}', {}, "JSON"),
    "JSON that tells of a success": ("mp3", b'{"data": "SUQz", "message": "OK"}', {}, "JSON"),
    "JSON behind a byte order mark": ("mp3", b'\xef\xbb\xbf{"audio": "SUQz"}', {}, "JSON"),
    "a long WAV as mp3": ("mp3", b"BW64" + RIFF[4:], {}, "BW64"),
    "a long WAV": ("wav", b"RF64" + RIFF[4:], {}, "RF64"),
    "a WAV with its bytes swapped": ("wav", b"RIFX" + RIFF[4:], {}, "RIFX"),
    "Brotli": ("mp3", FRAMES, {"Content_Encoding": "br"}, "Brotli"),
    "a coding that is none": ("mp3", FRAMES, {"Content_Encoding": "UTF-8"}, "UTF-8"),
    "a coding with a key": ("mp3", FRAMES, {"Content_Encoding": f"x-{KEY[-9:]}"}, "a compression"),
    "mp3 as WAV": ("wav", FRAMES, {}, "mp3"),
    "samples as WAV": ("wav", NOISE, {}, "something else"),
    "AVI as WAV": ("wav", b"RIFF\x24\x00\x00\x00AVI " + bytes(600), {}, "something else"),
    "half a WAV": ("wav", b"RIFF", {}, "text"),
    "WAV as pcm": ("pcm", RIFF, {}, "WAV"),
    "ID3 as pcm": ("pcm", b"ID3\x04" + bytes(600), {}, "mp3"),
    "frames as pcm": ("pcm", FRAMES, {}, "mp3"),
    "long frames as pcm": ("pcm", bytes.fromhex("fff5e8c4").ljust(1440, b"\x01") * 4, {}, "mp3"),
    "Ogg as pcm": ("pcm", b"OggS\x00\x02" + bytes(600), {}, "Ogg"),
    "FLAC as pcm": ("pcm", b"fLaC" + bytes(600), {}, "FLAC"),
    "a sentence as pcm": ("pcm", "Die Stimme fehlt für Sie.".encode() + b" ", {}, "text"),
    "a long text as pcm": ("pcm", "ü" * 600, {}, "text"),
    "another rate": ("pcm", NOISE, {"x_sample_rate": "22050"}, "22050"),
    "another rate with a point": ("pcm", NOISE, {"x_sample_rate": "22050.0"}, "22050"),
    "another rate in the type": ("pcm", NOISE, {"Content_Type": "audio/pcm; rate=44100"}, "44100"),
    "another rate of audio": ("pcm", NOISE, {"x_audio_sample_rate": "16000"}, "16000"),
    "a header that disagrees": (
        "pcm",
        NOISE,
        {"Content_Type": "audio/pcm;rate=24000", "x_sample_rate": "16000"},
        "16000",
    ),
    "a sample rate": ("pcm", NOISE, {"Content_Type": "audio/pcm; sample_rate=16000"}, "16000"),
    "a samplerate": ("pcm", NOISE, {"Content_Type": "audio/pcm;samplerate=16000"}, "16000"),
    "two channels of audio": ("pcm", NOISE, {"x_audio_channels": "2"}, "channels"),
    "two channels by a header": ("pcm", NOISE, {"x_channels": "2"}, "channels"),
    "two channels": ("pcm", NOISE, {"Content_Type": "audio/pcm;rate=24000;channels=2"}, "channels"),
}


@REPRESENTATIONS
@pytest.mark.parametrize("name", GOOD)
def test_speech_that_begins_as_it_was_asked_for_is_passed_on(met, accept, name):
    """Whole, whatever type it declares."""
    audio_format, speech, headers = GOOD[name]
    answers(met, "tts", speech, **headers)
    answer = told(post(met, accept, audio_format=audio_format))
    assert (answer.status, answer.code) == (200, None)
    assert answer.sound[12:] == speech[12:]


@pytest.mark.parametrize("accept", [JSON, STREAM])
def test_half_a_sample_is_no_speech(met, accept):
    """Whatever is joined to it becomes noise."""
    answers(met, "tts", NOISE + b"\0")
    assert told(post(met, accept, audio_format="pcm")).code == "upstream_malformed"


@REPRESENTATIONS
@pytest.mark.parametrize("name", BAD)
def test_speech_that_is_something_else_is_malformed(met, accept, name):
    """The sentence names what came; nothing of it is passed on, and it is not asked for again."""
    audio_format, speech, headers, came = BAD[name]
    answers(met, "tts", speech if isinstance(speech, bytes) else speech.encode(), **headers)
    answer = told(post(met, accept, audio_format=audio_format))
    assert (answer.status, answer.code, answer.stage) == (206, "upstream_malformed", "tts")
    assert (answer.transcript, answer.reply, answer.sound) == (TRANSCRIPT, REPLY, b"")
    assert "The upstream sent " in answer.message
    assert came in answer.message
    assert "where" in answer.message
    if audio_format == "pcm" and came in ("22050", "44100", "16000", "channels", "WAV"):
        assert "ask for wav (audio_format=wav)" in answer.message
    assert len(bodies(met, "tts")) == 1
