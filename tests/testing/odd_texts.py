"""Replies that are hard to read, and answers that are hard to decode, as tables."""

import gzip
import json
from contextlib import suppress
from itertools import cycle, islice

from testing import fake_realtime as realtime
from testing.builders import wav
from testing.fake_openai import http
from testing.fake_streams import DONE, STOP, chunk
from testing.upstream_faults import Behaviour, says


def filled(text: str, characters: int) -> str:
    """The text again and again, up to that length."""
    return "".join(islice(cycle(text), characters))


# What is repeated.
TEXTS = {
    "prose": "It is the capital of France, and has two million people. They like it there! ",
    "East Asian": "東京は日本の首都です。人口は約千四百万人です。",
    "no space": "x",
    "no letter": "\u200b\u0301😀🇫🇷",
    "brackets": "[" * 20 + "Abc! " * 80,
    "open brackets": "[",
    "images": "![a](",
    "citations": "It is so [1][2], as they say【3†source】 (see [4](https://a.example/b_c)). ",
    "stars": "*a **b ***c ",
    "underscores": "_a __b ",
    "backticks": "`a ``b ```c ",
    "tags": "<a <b> </c <!-- d ",
    "quotes": "> > > > a\n> b\n\n",
    "nested lists": "- a\n  - b\n    - c\n      1. d\n",
    "tables": "| a | b |\n|---|---|\n| c | d |\n",
    "code": "```python\nfor x in range(10):\n    print(x)\n```\n",
    "JSON": '{"a": [1, 2, {"b": "c"}], "d": null}\n',
    "entities": "&amp;&#0;&#x110000;&",
    "thoughts": "<think>a</think>",
    "links": "https://a.example/b?c=d&e=f (see www.a.example). ",
}


def gzipped(times: int) -> bytes:
    """Nothing at all, in a million members of gzip, compressed as often as that."""
    data = gzip.compress(b"") * 1_000_000
    for _ in range(1, times):
        data = gzip.compress(data)
    return data


def wav_after(chunk: bytes) -> Behaviour:
    """A WAV file of 16 MB of these chunks before its sound, in gzip."""
    sound = wav()
    file = sound[:12] + chunk * (16_000_000 // len(chunk)) + sound[12:]
    return says(http(gzip.compress(file), Content_Encoding="gzip", Content_Type="audio/wav"))


def blank_deltas() -> bytes:
    events = chunk({"content": " "}) * 20_000 + chunk({"content": "Yes."}) + STOP + DONE
    return gzip.compress(events)


def sends(frame: bytes, times: int, first: bytes = b"") -> Behaviour:
    """A WebSocket that sends one frame again and again, faster than anybody reads it."""

    def script(session: realtime.Session) -> None:
        with suppress(OSError):
            session.connection.sendall(first + frame * times)
            session.done()

    return realtime.plays(script)


SAMPLE = b'{"type":"response.output_audio.delta","delta":"AAA="}'
# RFC 6455, 5.2: a byte for the kind and whether it is the last, one for the length, the payload.
FRAMES = {
    "pongs": sends(b"\x8a\x00", 100_000),
    "empty continuations": sends(b"\x00\x00", 100_000, first=b"\x01\x00"),
    "messages that say nothing": sends(b"\x81\x02{}", 50_000),
    "single samples": sends(bytes([0x81, len(SAMPLE)]) + SAMPLE, 20_000),
}

STREAM = {"Content_Type": "text/event-stream", "Content_Encoding": "gzip"}
# By the stage whose answer it is.
ANSWERS: dict[str, tuple[str, Behaviour]] = {
    "gzip in gzip": ("stt", says(http(gzipped(2), Content_Encoding="gzip, gzip"))),
    "gzip in gzip in gzip": ("stt", says(http(gzipped(3), Content_Encoding="gzip, gzip, gzip"))),
    "interim answers of large headers": (
        "text",
        says((b"HTTP/1.1 103 x\r\n" + b"X: %s\r\n" % (b"y" * 60_000) * 90 + b"\r\n") * 20),
    ),
    "a WAV file of empty chunks": ("tts", wav_after(b"LIST\0\0\0\0")),
    "a WAV file of padded chunks": ("tts", wav_after(b"JUNK\1\0\0\0x\0")),
    "blank deltas": ("text", says(http(blank_deltas(), **STREAM))),
    "an error that goes on": (
        "stt",
        says(http(json.dumps({"error": {"message": "sk-" * 300_000}}).encode(), "400 No")),
    ),
    "spaces before what is no JSON": ("text", says(http(b" " * 64_000 + b"Yes."))),
    "lists in lists": ("text", says(http(b'{"choices": ' + b"[" * 900_000))),
}
