"""Upstreams that answer otherwise than OpenAI does, as compatible hosts may."""

import base64
import gzip
import json
import struct
import zlib
from contextlib import closing

import pytest
import requests
from testing import coded_speech
from testing.fake_openai import http
from testing.fake_streams import CHATS, Streamed, chunk, streams_chat
from testing.served_streams import is_quiet, listen, post

REPLY = (
    "Yes, of course. It is Paris, the capital of France. That is all that there is to say of it."
)
MARK = b"\xef\xbb\xbf"
EVENTS = CHATS["whole"](REPLY)[1:]  # Without the role's, so that text comes first.
WHOLE = b"".join(EVENTS)
MESSAGE = {"choices": [{"message": {"content": REPLY}, "finish_reason": "stop"}]}
LIMIT = {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}
PAGE = b"\n<!doctype html>\n<p>It works!"


def sends(*pieces):
    """A chat stream of these pieces."""
    return Streamed(lambda body: pieces, lambda body: "text/event-stream")


def zipped(bits):
    """Each event is compressed so that it can be read when it comes."""
    zipper = zlib.compressobj(wbits=bits)
    pieces = [zipper.compress(event) + zipper.flush(zlib.Z_SYNC_FLUSH) for event in EVENTS]
    return [*pieces, zipper.flush()]


def writes(*parts, head=b"HTTP/1.1 200 OK\r\n", stays=False):
    """An answer written out."""

    def answer(connection, request):
        for part in (head, b"\r\n", *parts):
            connection.sendall(part)
        return stays

    return answer


def in_chunks(pieces, coding):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: %s\r\n" % coding
    chunks = (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    return writes(*chunks, head=head, stays=True)


def answers(body, kind="application/json"):
    """A whole answer of that type."""
    data = body if isinstance(body, bytes) else json.dumps(body, indent=1).encode()
    return lambda connection, _: connection.sendall(http(data, Content_Type=kind)) or True


CHAT = {
    "a byte order mark": (sends(MARK + EVENTS[0], *EVENTS[1:]), None),
    "a mark cut in two": (sends(MARK[:1], MARK[1:] + EVENTS[0], *EVENTS[1:]), None),
    "CR and LF apart": (
        sends(*(part + b"\r" for part in WHOLE.replace(b"\n", b"\r\n").split(b"\r"))),
        None,
    ),
    "no space": (sends(WHOLE.replace(b"data: ", b"data:")), None),
    "single line breaks": (sends(WHOLE.replace(b"\n\n", b"\n")), None),
    "other fields": (sends(*(b"event: message\nid: 1\nretry: 9\n" + e for e in EVENTS)), None),
    "comments": (sends(*(b": wait\n\n" + event for event in EVENTS)), None),
    "HTTP/1.0": (writes(WHOLE, head=b"HTTP/1.0 200 OK\r\n"), None),
    "a closed connection": (writes(WHOLE, head=b"HTTP/1.1 200 OK\r\nConnection: close\r\n"), None),
    "gzip": (in_chunks(zipped(31), b"gzip"), None),
    "deflate": (in_chunks(zipped(15), b"deflate"), None),
    "a long event": (sends(chunk({}, padding="x" * 900_000), *EVENTS), None),
    "JSON": (answers(MESSAGE), None),
    "JSON without its type": (answers(MESSAGE, "text/event-stream"), None),
    "JSON of a failure": (answers(LIMIT), "rate_limited"),
    "a failure outside an event": (sends(json.dumps(LIMIT).encode()), "rate_limited"),
    "a page": (answers(PAGE, "text/html"), "upstream_malformed"),
    "too long an event": (sends(chunk({}, padding="x" * 1_100_000)), "upstream_malformed"),
    "too many lists": (sends(chunk({}, padding=[[]] * 60_000)), "upstream_malformed"),
    "blanks": (sends(chunk({"content": " \n"}), *CHATS["blank"]("")), "upstream_malformed"),
}


@pytest.mark.parametrize("row", CHAT)
def test_a_reply_is_taken_as_it_comes_or_refused_as_what_it_is(service, upstream, row):
    """What can be read is told and spoken, no word less; what cannot names its answer."""
    upstream.answers["text"], code = CHAT[row]
    stream = listen(service)
    assert (stream.text, stream.code) == ("" if code else REPLY, code)
    assert len(stream.ended) == len(stream.segments)
    if code:
        assert (stream.error["stage"], stream.error["upstream_status"]) == ("text", 200)
    is_quiet(service)


def speech(form, change=lambda sound: sound, kind="audio/mpeg", **headers):
    """Coded speech, changed."""

    def answer(connection, request):
        sound = change(coded_speech.encode(json.loads(request.body)["input"], form))
        connection.sendall(http(sound, Content_Type=kind, **headers))
        return True

    return answer


SPEECH = {
    "gzip": ("mp3", speech("mp3", gzip.compress, Content_Encoding="gzip"), True),
    "sound said to be a page": ("mp3", speech("mp3", kind="text/html"), True),
    "JSON": ("mp3", answers(LIMIT), False),
    "JSON in another type": ("pcm", answers(LIMIT, "text/plain"), False),
    "a page": ("wav", answers(PAGE, "text/html; charset=utf-8"), False),
    "half a sample": ("pcm", speech("pcm", lambda sound: sound + b"\0"), False),
}


@pytest.mark.parametrize("accept", ["text/event-stream", "audio/*", "application/json"])
@pytest.mark.parametrize("row", SPEECH)
def test_what_is_no_speech_is_told_of_as_such(service, upstream, row, accept):
    """Nobody is given the text of a failure to play."""
    form, upstream.answers["tts"], is_speech = SPEECH[row]
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY)
    if accept == "text/event-stream":
        stream = listen(service, audio_format=form)
        assert stream.code == (None if is_speech else "upstream_malformed")
        assert bool(stream.ended) is is_speech
        return
    with closing(post(service, accept, audio_format=form)) as response:
        if accept == "audio/*" and row == "half a sample":
            with pytest.raises(requests.RequestException):
                response.content  # noqa: B018  # It is broken at its end.
        elif is_speech and accept == "audio/*":
            assert coded_speech.decode(response.content, form) == REPLY
        elif is_speech:
            assert coded_speech.decode(base64.b64decode(response.json()["audio"]), form) == REPLY
        else:
            [error] = response.json()["errors"]
            assert (error["stage"], error["code"]) == ("tts", "upstream_malformed")
            assert error["upstream_status"] == 200
            assert response.json()["audio"] == ""
    is_quiet(service)


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_json_holds_a_wav_of_true_lengths(service, upstream, length):
    """Whatever stands there in a file that was streamed."""
    wrong = struct.pack("<I", length)
    upstream.answers["tts"] = speech(
        "wav", lambda sound: sound[:4] + wrong + sound[8:40] + wrong + sound[44:]
    )
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY)
    with closing(post(service, "application/json", audio_format="wav")) as response:
        sound = base64.b64decode(response.json()["audio"])
    assert struct.unpack("<I", sound[4:8]) == (len(sound) - 8,)
    assert struct.unpack("<I", sound[40:44]) == (len(sound) - 44,)
