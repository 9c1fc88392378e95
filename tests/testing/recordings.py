"""Recordings as callers send them, with the kind that each is, and what is none."""

import base64
import io
import struct
from fractions import Fraction

import av

ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x07" + bytes(7)
APE = b"APETAGEX" + struct.pack("<IIIIQ", 2000, 32, 0, 0xA0000000, 0)
WAVE = b"\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"
MPEG_1_PACK = bytes.fromhex("000001ba 21 0001000180 0e2b")
MPEG_2_PACK = bytes.fromhex("000001ba 44 0004000401 000003 f8")
ADTS = bytes.fromhex("fff15080 0e1ffc 01") + bytes(104)


def frames(header: str, length: int, count: int = 4) -> bytes:
    """Frames of MPEG audio whose header is given in hex, and whose `length` it means."""
    return bytes.fromhex(header).ljust(length, b"\x55") * count


def box(name: bytes, size: int = 24) -> bytes:
    """The beginning of an MP4 file."""
    return struct.pack(">I", size) + name + bytes(16)


def written(form: str, codec: str, rate: int = 48_000, **options: str) -> bytes:
    """Half a second of sound as FFmpeg writes it."""
    file = io.BytesIO()
    with av.open(file, "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate, 1152)
        sound = av.AudioFrame(format="s16", layout="mono", samples=rate // 2)
        sound.planes[0].update(bytes(range(0, 200, 2)) * (rate // 100))
        sound.sample_rate, sound.time_base, sound.pts = rate, Fraction(1, rate), 0
        for frame in resampler.resample(sound):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


FRAMES = frames("fffb9064", 417)  # version 1, layer III, 44.1 kHz, 128 kbit/s
RECORDINGS: dict[str, tuple[str, bytes]] = {
    "RIFF": ("audio.wav", b"RIFF" + WAVE),
    "RF64": ("audio.wav", b"RF64" + WAVE),
    "RIFX": ("audio.wav", b"RIFX\0\0\0\x24WAVEfmt \0\0\0\x10"),
    "BW64": ("audio.wav", b"BW64" + WAVE),
    "RF64 by FFmpeg": ("audio.wav", written("wav", "pcm_s16le", 16_000, rf64="always")),
    "MP4 by FFmpeg": ("audio.m4a", written("mp4", "aac")),
    "fragmented MP4": ("audio.m4a", written("mp4", "aac", movflags="frag_keyframe+empty_moov")),
    "QuickTime by FFmpeg": ("audio.m4a", written("mov", "aac")),
    "ftyp": ("audio.m4a", box(b"ftyp")),
    "moov": ("audio.m4a", box(b"moov", 26_214_400)),
    "mdat": ("audio.m4a", box(b"mdat", 9000)),
    "mdat to the end": ("audio.m4a", box(b"mdat", 0)),
    "mdat of 64 bits": ("audio.m4a", b"\0\0\0\x01mdat" + struct.pack(">Q", 9000) + bytes(9)),
    "free": ("audio.m4a", box(b"free", 8)),
    "skip": ("audio.m4a", box(b"skip")),
    "wide": ("audio.m4a", box(b"wide", 8)),
    "pnot": ("audio.m4a", box(b"pnot", 20)),
    "WebM by FFmpeg": ("audio.webm", written("webm", "libopus")),
    "MPEG-1 program stream": ("audio.mpeg", MPEG_1_PACK),
    "MPEG-2 program stream": ("audio.mpeg", MPEG_2_PACK),
    "program stream by FFmpeg": ("audio.mpeg", written("mpeg", "mp2")),
    "DVD by FFmpeg": ("audio.mpeg", written("vob", "mp2")),
    "ID3v2.4": ("audio.mp3", ID3),
    "ID3v2.2": ("audio.mp3", b"ID3\x02" + ID3[4:]),
    "ID3 behind zeros": ("audio.mp3", bytes(8192) + ID3),
    "APE": ("audio.mp3", APE),
    "APE behind spaces": ("audio.mp3", b" " * 70 + APE),
    "mp3 by FFmpeg": ("audio.mp3", written("mp3", "libmp3lame")),
    "mp3 without a tag": ("audio.mp3", written("mp3", "libmp3lame", 24_000, id3v2_version="0")),
    "layer II by FFmpeg": ("audio.mp3", written("mp2", "mp2")),
    "layer I": ("audio.mp3", frames("ffff8464", 256)),
    "version 2": ("audio.mp3", frames("fff384c4", 192)),
    "version 2.5": ("audio.mp3", frames("ffe318c4", 72)),
    "padded": ("audio.mp3", frames("fffb9264", 418)),
    "two frames": ("audio.mp3", frames("fffb9064", 417, 2)),
    "frames behind zeros": ("audio.mp3", bytes(300) + FRAMES),
    "frames behind spaces": ("audio.mp3", b" " * 8192 + FRAMES),
    "begun amid a frame": ("audio.mp3", FRAMES[217:]),
    "amid a frame behind zeros": ("audio.mp3", bytes(4096) + FRAMES[217:]),
    **{f"begun at byte {at} of a frame": ("audio.mp3", FRAMES[at:]) for at in (1, 416)},
    "begun amid a longer frame": ("audio.mp3", b"\x55" * 1000 + FRAMES),
}
"""By what they are: the name under which they are sent, and their beginning."""

UTF_16 = "\ufeff" + "What is the capital of France? " * 40
NO_RECORDINGS: dict[str, bytes] = {
    "RIFF alone": b"RIFF",
    "AVI": b"RIFF\x24\x00\x00\x00AVI LIST",
    "AVI with mp3 by FFmpeg": written("avi", "libmp3lame"),
    "Wave64 with mp3 by FFmpeg": written("w64", "libmp3lame"),
    "transport stream by FFmpeg": written("mpegts", "mp2"),
    "Ogg by FFmpeg": written("ogg", "libopus"),
    "FLAC by FFmpeg": written("flac", "flac"),
    "ADTS by FFmpeg": written("adts", "aac"),
    "ADTS of MPEG-2": ADTS.replace(b"\xff\xf1", b"\xff\xf9") * 9,
    "a later ADTS frame": ADTS[60:] + ADTS * 9,
    "a later piece of WebM": written("webm", "libopus")[700:],
    "a cluster of WebM": b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" + FRAMES,
    "pieces of WebM out of order": written("webm", "libopus")[700:] + written("webm", "libopus"),
    "a data URL": b"data:audio/mpeg;base64," + base64.b64encode(FRAMES),
    "Base64": base64.b64encode(FRAMES),
    "AMR": b"#!AMR\n" + b"\x3c".ljust(32, b"\x55") * 50,
    "a later piece of MP4": b"\0\0\0\x10moof" + bytes(8) + FRAMES,
    "text in UTF-16": UTF_16.encode("utf-16-le"),
    "text in UTF-16, big-endian": UTF_16.encode("utf-16-be"),
    "HTML": b"<!doctype html><title>502</title>" * 20,
    "text": b"What is the capital of France? " * 200,
    "text that begins with ID3": b"ID3 tags are what mp3 files begin with." * 9,
    "ID3 of another version": b"ID3\x05" + ID3[4:],
    "ID3 of no revision": b"ID3\x04\xff" + ID3[5:],
    "ID3 with unknown flags": b"ID3\x04\x00\x01" + ID3[6:],
    "ID3 of no size": ID3[:6] + b"\x80" + ID3[7:],
    "text that begins with APE": b"APETAGEX is what a tag begins with" * 9,
    "JSON": b'{"error": "none"}' * 9,
    "zeros": bytes(65_536),
    "spaces": b" " * 65_536,
    "bytes of one value": b"\xff" * 65_536,
    "sync words alone": bytes.fromhex("fffb9064") + bytes(5000),
    "too many zeros": bytes(8193) + FRAMES,
    "too much else": b"\x55" * 1500 + FRAMES,
    "frames of another rate": b"".join(frames(f"fffb9{rate}64", 417, 1) for rate in "04" * 9),
    "frames of another layer": frames("fffb9064", 417, 1) + frames("fffd9064", 417, 1),
    "frames of a free rate": frames("fffb0064", 417),
    # ISO/IEC 11172-3, 2.4.2.3.
    "frames of a reserved version": frames("ffeb9064", 417),
    "frames of a reserved bit rate": frames("fffbf064", 417),
    "frames of a reserved sampling rate": frames("fffb9c64", 417),
    "PNG": b"\x89PNG\r\n\x1a\n" + FRAMES,
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + FRAMES,
    "ZIP": b"PK\x03\x04" + bytes(26) + FRAMES,
    "gzip": b"\x1f\x8b\x08\x00" + FRAMES,
    "FLV": b"FLV\x01\x04\x00\x00\x00\x09\x00\x00\x00\x00" + FRAMES,
    "AC-3": b"\x0b\x77" + bytes(50) + FRAMES,
    "DTS": b"\x7f\xfe\x80\x01" + FRAMES,
    "Musepack": b"MP+\x07" + FRAMES,
    "a transport stream's packet": b"G@\0\x10" + bytes(184) + b"G" + FRAMES,
    "a web page before frames": b"<html></html>" + FRAMES,
    "JSON before frames": b'{"a": 1}' + FRAMES,
    "headers before frames": b"HTTP/1.1 200 OK\r\n\r\n" + FRAMES,
    "Ogg behind zeros": bytes(300) + b"OggS\x00\x02" + FRAMES,
    "AVI behind spaces": b" " * 30 + b"RIFF\x24\x00\x00\x00AVI LIST" + FRAMES,
    "a box too small": box(b"ftyp", 7),
    "a box too large": box(b"mdat", 26_214_401),
    "a box without end": box(b"ftyp", 0),
    "a box of 64 bits too large": b"\0\0\0\x01mdat" + struct.pack(">Q", 1 << 40) + bytes(9),
    "a box name alone": b"ftypisom" + bytes(20),
    "an elementary stream": b"\x00\x00\x01\xb3" + bytes(20),
    "a pack of no version": MPEG_1_PACK[:4] + bytes(20),
    "nothing much": b"\xff\xfb",
}
"""What no decoder of our kinds would take, or is not promised."""
