"""Upstreams' answers as they were met: what counts as a whole success, and what does not."""

import json
import struct

import pytest
from testing.fake_openai import REPLY, TRANSCRIPT, http
from testing.representations import REPRESENTATIONS, SOUND, STREAM, bodies, body, post, told
from testing.upstream_faults import says

HALF = "The capital of France is the city whose na"


def streamed(*events: object, ends: bytes = b"data: [DONE]\n\n") -> bytes:
    """Events with JSON, or bytes as they are, as an answer's body."""
    lines = (
        e if isinstance(e, bytes) else b"data: %s\n\n" % json.dumps(e).encode() for e in events
    )
    return b"".join(lines) + ends


def chunk(content: object = None, reason: str | None = None, **more: object) -> dict[str, object]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": reason, **more}]}


def answers(upstream, stage: str, data: object, **headers: str) -> None:
    """Let a stage answer with JSON, or with these bytes, under 200."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    upstream.answers[stage] = says(http(data, **headers))


TRANSCRIPTS = {
    "null": ({"text": None}, ""),
    "blank": ({"text": " \n"}, ""),
    "blank audio": ({"text": " [BLANK_AUDIO]\n"}, ""),
    "silence": ({"text": "[silence]"}, ""),
    "a remark of several words": ({"text": "[ No speech detected. ]"}, ""),
    "round brackets": ({"text": "(wind blowing)"}, ""),
    "words behind a remark": ({"text": "[music] What time is it?"}, "[music] What time is it?"),
    "two remarks": ({"text": "[1] and [2]"}, "[1] and [2]"),
    "an empty error": ({"text": "Hello.", "error": None, "message": "ok"}, "Hello."),
}


@REPRESENTATIONS
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_without_words_is_no_speech(met, accept, name):
    """The transcript is empty then, and no later call is made."""
    data, transcript = TRANSCRIPTS[name]
    answers(met, "stt", data)
    answer = told(post(met, accept))
    assert answer.transcript == transcript
    assert (answer.status, answer.code) == ((200, None) if transcript else (206, "no_speech"))
    assert len(met.requests) == (3 if transcript else 1)


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hmm"}]}
TEXT = {"type": "text", "text": "It is Paris."}
WHOLE = ("It is Paris.", None)
# What the message holds, the reason, and what becomes of it.
MESSAGES = {
    "a text": ({"content": " It is Paris. "}, "stop", WHOLE),
    "parts": ({"content": [THOUGHT, TEXT]}, "stop", WHOLE),
    "parts of text": (
        {"content": [{"type": "text", "text": "It is "}, {**TEXT, "text": "Paris."}]},
        "stop",
        WHOLE,
    ),
    "output_text": ({"content": [{**TEXT, "type": "output_text"}]}, "stop", WHOLE),
    "reasoning": ({"content": [{"type": "reasoning", "text": "Hmm"}, TEXT]}, "stop", WHOLE),
    "a marked thought": (
        {"content": [{**TEXT, "text": "Hmm", "thought": True}, TEXT]},
        "stop",
        WHOLE,
    ),
    "reasoning beside": ({"content": "It is Paris.", "reasoning_content": "Hmm"}, "stop", WHOLE),
    "content and refusal": ({"content": "It is Paris.", "refusal": "No."}, "stop", WHOLE),
    "a refusal": ({"content": None, "refusal": "No."}, "stop", ("No.", None)),
    "a refusal beside nothing": ({"content": "", "refusal": "No."}, "stop", ("No.", None)),
    "thoughts alone": ({"content": [THOUGHT]}, "stop", ("", "upstream_malformed")),
    "another reason": ({"content": "It is Paris."}, "eos_token", WHOLE),
    "tool_calls": ({"content": "It is Paris."}, "tool_calls", WHOLE),
    "length": ({"content": HALF}, "length", (HALF, "text_incomplete")),
    "max_tokens": ({"content": HALF}, "max_tokens", (HALF, "text_incomplete")),
    "MAX_TOKENS": ({"content": HALF}, "MAX_TOKENS", (HALF, "text_incomplete")),
    "content_filter": ({"content": HALF}, "content_filter", (HALF, "text_incomplete")),
    "thoughts up to the length": ({"content": [THOUGHT]}, "length", ("", "text_incomplete")),
    "nothing up to the length": ({"content": None}, "length", ("", "text_incomplete")),
    "thoughts in tags": ({"content": "<think>Hmm"}, "max_tokens", ("", "text_incomplete")),
    "error": ({"content": HALF}, "error", (HALF, "upstream_unavailable")),
    "error at once": ({"content": ""}, "error", ("", "upstream_unavailable")),
}


@REPRESENTATIONS
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_understood(met, accept, streams, name):
    """Whether the host streams or not, whatever it was asked for."""
    message, reason, (text, code) = MESSAGES[name]
    if streams:
        answers(met, "text", streamed({"choices": [{"delta": message}]}, chunk(reason=reason)))
    else:
        answers(met, "text", {"choices": [{"message": message, "finish_reason": reason}]})
    answer = told(post(met, accept))
    assert (answer.reply, answer.code) == (text, code)
    assert bool(answer.sound) is bool(text)
    assert answer.status == (206 if code else 200)
    again = code == "upstream_unavailable" and (accept != STREAM or not text)
    assert len(bodies(met, "text")) == (3 if again else 1)


SENTENCE = {"error": {"message": "Connection error.", "type": None, "code": "500"}}
WORDS = [chunk("It is "), chunk("Paris.")]
WRITTEN = [chunk(HALF[:20]), chunk(HALF[20:])]
NO_JSON = b"data: {nonsense\n\n"
# The events, how the stream ends, what was written, the code, a word of the reason.
STREAMS = {
    "a reason and [DONE]": ([*WORDS, chunk(reason="stop")], b"data: [DONE]\n\n", *WHOLE, ""),
    "[DONE] alone": (WORDS, b"data: [DONE]\n\n", *WHOLE, ""),
    "a reason alone": ([*WORDS, chunk(reason="stop")], b"", *WHOLE, ""),
    "[DONE] without its end": (WORDS, b"data: [DONE]", *WHOLE, ""),
    "neither": (WRITTEN, b"", HALF, "upstream_unavailable", ""),
    "cut amid an event": (WRITTEN, b'data: {"choices": [', HALF, "upstream_unavailable", ""),
    "the last event without its end": (
        [WORDS[0]],
        b"data: " + json.dumps(chunk("Paris.", "stop")).encode(),
        *WHOLE,
        "",
    ),
    "CRLF": ([streamed(*WORDS).replace(b"\n", b"\r\n")], b"", *WHOLE, ""),
    "CR": ([streamed(*WORDS).replace(b"\n", b"\r")], b"", *WHOLE, ""),
    "several lines of data": (
        [
            b"".join(
                b"data: %s\n" % line
                for line in json.dumps(WORDS[0], indent=1).encode().split(b"\n")
            )
            + b"\n",
            WORDS[1],
        ],
        b"data: [DONE]\n\n",
        *WHOLE,
        "",
    ),
    "a byte order mark": ([b"\xef\xbb\xbf", *WORDS], b"data: [DONE]\n\n", *WHOLE, ""),
    "comments": (
        [b": OPENROUTER PROCESSING\n\n", WORDS[0], b": wait\n", WORDS[1]],
        b"data: [DONE]\n\n",
        *WHOLE,
        "",
    ),
    "empty data": ([WORDS[0], b"data:\n\ndata: \n\n", WORDS[1]], b"data: [DONE]\n\n", *WHOLE, ""),
    "unknown events": (
        [b"event: ping\ndata: {}\n\n", WORDS[0], b"event: ping\ndata: x\n\n", WORDS[1]],
        b"data: [DONE]\n\n",
        *WHOLE,
        "",
    ),
    "named events": (
        [b"event: message\n", WORDS[0], b"event: delta\n", WORDS[1]],
        b"data: [DONE]\n\n",
        *WHOLE,
        "",
    ),
    "a note that is none of ours": (
        [{"message": "processing"}, *WORDS, chunk(reason="stop")],
        b"",
        *WHOLE,
        "",
    ),
    "an empty error": ([{**WORDS[0], "error": None}, WORDS[1]], b"data: [DONE]\n\n", *WHOLE, ""),
    "an error": (
        [*WRITTEN, SENTENCE],
        b"data: [DONE]\n\n",
        HALF,
        "upstream_unavailable",
        "Connection error.",
    ),
    "an error before a reason": (
        [*WRITTEN, SENTENCE, chunk(reason="stop")],
        b"",
        HALF,
        "upstream_unavailable",
        "Connection error.",
    ),
    "an error beside a choice": (
        [*WRITTEN[:1], {**WRITTEN[1], **SENTENCE}],
        b"",
        HALF,
        "upstream_unavailable",
        "Connection error.",
    ),
    "OpenRouter's": (
        [*WRITTEN, {"error": {"code": 429, "message": "Slow down."}, **chunk("", "error")}],
        b"",
        HALF,
        "rate_limited",
        "Slow down.",
    ),
    "a choice's error": (
        [*WRITTEN, chunk("", "error", error={"code": 502, "message": "Provider is down."})],
        b"",
        HALF,
        "upstream_unavailable",
        "Provider is down.",
    ),
    "a choice's error alone": (
        [*WRITTEN, chunk("", None, error={"message": "Provider is down."})],
        b"",
        HALF,
        "upstream_malformed",
        "Provider is down.",
    ),
    "OpenAI's": (
        [*WRITTEN, {"error": {"code": None, "type": "server_error", "message": "Broken."}}],
        b"",
        HALF,
        "upstream_unavailable",
        "Broken.",
    ),
    "an error in a text": (
        [*WRITTEN, {"error": "Broken."}],
        b"",
        HALF,
        "upstream_malformed",
        "Broken.",
    ),
    "Gemini's": (
        [*WRITTEN, [{"error": {"code": 503, "message": "Overloaded."}}]],
        b"",
        HALF,
        "upstream_unavailable",
        "Overloaded.",
    ),
    "flat": (
        [*WRITTEN, {"object": "error", "message": "Broken.", "code": 400}],
        b"data: [DONE]\n\n",
        HALF,
        "upstream_rejected",
        "Broken.",
    ),
    "detail": ([*WRITTEN, {"detail": "Broken."}], b"", HALF, "upstream_malformed", "Broken."),
    "event: error": (
        [*WRITTEN, b'event: error\ndata: {"message": "Broken."}\n\n'],
        b"",
        HALF,
        "upstream_malformed",
        "Broken.",
    ),
    "event: error, a text": (
        [*WRITTEN, b"event: error\ndata: Broken.\n\n"],
        b"",
        HALF,
        "upstream_malformed",
        "Broken.",
    ),
    "event: error, a code": (
        [*WRITTEN, b'event: error\ndata: {"error": {"code": 503}}\n\n'],
        b"",
        HALF,
        "upstream_unavailable",
        "",
    ),
    "event: error, no data": (
        [*WRITTEN, b"event: error\n\n"],
        b"data: [DONE]\n\n",
        HALF,
        "upstream_malformed",
        "",
    ),
    "event: error, empty data": (
        [*WRITTEN, b"event: error\ndata:\n\n"],
        b"data: [DONE]\n\n",
        HALF,
        "upstream_malformed",
        "",
    ),
    "llama.cpp's": (
        [*WRITTEN, b'error: {"code": 500, "message": "Broken."}\n\n'],
        b"",
        HALF,
        "upstream_unavailable",
        "Broken.",
    ),
    "a line of JSON": (
        [*WRITTEN, b'{"error": {"message": "Broken."}}\n\n'],
        b"",
        HALF,
        "upstream_malformed",
        "Broken.",
    ),
    "no JSON": ([*WRITTEN, NO_JSON], b"data: [DONE]\n\n", HALF, "upstream_malformed", ""),
    "blank": ([chunk(" ")], b"data: [DONE]\n\n", "", "upstream_malformed", ""),
    "nothing but a sentence": ([b"Internal error\n"], b"", "", "upstream_malformed", ""),
    "a web page": ([b"<!doctype html><title>Busy</title>"], b"", "", "upstream_malformed", ""),
}
PASSING = ("upstream_unavailable", "rate_limited")


@REPRESENTATIONS
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_understood(met, accept, name):
    """What was written before a failure is kept and spoken; JSON and sound alone try again first.

    A host that streams although it was asked not to is understood, too.
    """
    events, ends, text, code, reason = STREAMS[name]
    answers(met, "text", streamed(*events, ends=ends), Content_Type="text/event-stream")
    answer = told(post(met, accept))
    assert (answer.reply, answer.code) == (text, code)
    assert answer.stage == ("text" if code and accept != SOUND else answer.stage)
    assert bool(answer.sound) is bool(text)
    if accept != SOUND or not text:
        assert reason in answer.message
    again = code in PASSING and (accept != STREAM or not text)
    assert len(bodies(met, "text")) == (3 if again else 1)


@REPRESENTATIONS
def test_a_stream_is_asked_for_or_refused(met, accept):
    """Some hosts stream unless they are told not to."""
    post(met, accept)
    assert body(met, "text")["stream"] is (accept == STREAM)


@pytest.mark.parametrize("accept", ["application/json", SOUND])
def test_the_last_try_may_bring_the_whole_reply(met, accept):
    """What an earlier one had written is forgotten then."""
    broken = {"message": {"content": HALF}, "finish_reason": "error"}
    whole = {"message": {"content": REPLY}, "finish_reason": "stop"}
    choices = iter([broken, broken, whole])

    def answer(connection, request):
        connection.sendall(http(json.dumps({"choices": [next(choices)]}).encode()))
        return True

    met.answers["text"] = answer
    answered = told(post(met, accept))
    assert (answered.status, answered.reply) == (200, REPLY)


@pytest.mark.parametrize("accept", ["application/json", SOUND])
def test_a_model_that_turns_out_not_to_be_known_is_replaced(met, accept):
    """Whatever it seemed to have written."""
    error = {"code": 404, "message": "The model gpt-4o does not exist."}
    broken = {"message": {"content": HALF}, "finish_reason": "error", "error": error}
    whole = {"message": {"content": REPLY}, "finish_reason": "stop"}
    choices = iter([broken, whole])

    def answer(connection, request):
        connection.sendall(http(json.dumps({"choices": [next(choices)]}).encode()))
        return True

    met.answers["text"] = answer
    answered = told(post(met, accept))
    assert (answered.status, answered.reply) == (200, REPLY)
    assert answered.models["text"] != "gpt-4o"


def test_a_streamed_reply_has_the_bounds_of_a_whole_one(met):
    """A megabyte of text, however many events it comes in."""
    answers(met, "text", streamed(*[chunk("x" * 90_000)] * 12))
    answer = told(post(met))
    assert answer.code == "upstream_malformed"
    assert len(answer.reply) <= 1_100_000


ENDED = {
    "Let me see.\n</think>\n\nIt is Paris.": "It is Paris.",
    "</think>\nIt is Paris.": "It is Paris.",
    "Hm\n  </think>  \nIt is Paris.": "It is Paris.",
    "```\nx\n```\nHm\n</think>\nIt is Paris.": "It is Paris.",
    "Write\n```\n</think>\n```\nso.": "Write\n```\n</think>\n```\nso.",
    "Write\n\n    </think>\n\nso.": "Write\n\n    </think>\n\nso.",
    "It ends with </think> there.": "It ends with </think> there.",
    "First <think>\nx\n</think>\nlast.": "First <think>\nx\n</think>\nlast.",
    "<think>\nHm\n</think>\nIt is Paris.": "It is Paris.",
}


@pytest.mark.parametrize("accept", ["application/json", SOUND])
@pytest.mark.parametrize("reply", ENDED)
def test_thoughts_that_the_template_began_are_left_out(met, accept, reply):
    """A reply is what follows their end; a stream cannot know."""
    answers(met, "text", {"choices": [{"message": {"content": reply}, "finish_reason": "stop"}]})
    assert told(post(met, accept)).reply == ENDED[reply]


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
    "a web page as mp3": ("mp3", b"<html>Busy</html>", {}, "a web page"),
    "JSON as mp3": ("mp3", b'{"audio": "SUQz"}', {}, "JSON"),
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
    "another rate in the type": ("pcm", NOISE, {"Content_Type": "audio/pcm; rate=44100"}, "44100"),
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
    if audio_format == "pcm" and came in ("22050", "44100", "channels", "WAV"):
        assert "ask for wav (audio_format=wav)" in answer.message
    assert len(bodies(met, "tts")) == 1
