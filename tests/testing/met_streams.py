"""Streams of a reply as they were met, and what they mean."""

import json

from testing.met_answers import BLANKS, HALF, WHOLE, chunk, streamed

DONE = b"data: [DONE]\n\n"
SENTENCE = {"error": {"message": "Connection error.", "type": None, "code": "500"}}
WORDS = [chunk("It is "), chunk("Paris.")]
WRITTEN = [chunk(HALF[:20]), chunk(HALF[20:])]
CHOICES = [chunk("It is ", index=0), chunk("No", index=1), chunk("Paris.", "stop", index=0)]
MESSAGE = {"choices": [{"message": {"content": WHOLE[0]}, "finish_reason": "stop"}]}
NO_JSON = b"data: {nonsense\n\n"
LIMIT, CUT = "text_incomplete", (b"", HALF, "upstream_unavailable", "")
# The events, how the stream ends, what was written, the code, a word of the reason.
STREAMS = {
    "a reason and [DONE]": ([*WORDS, chunk(reason="stop")], DONE, *WHOLE, ""),
    "[DONE] alone": (WORDS, DONE, *WHOLE, ""),
    "a reason alone": ([*WORDS, chunk(reason="stop")], b"", *WHOLE, ""),
    "[DONE] without its end": (WORDS, b"data: [DONE]", *WHOLE, ""),
    "[DONE] and more": (WORDS, b"data: [DONE]{}\n\n", *WHOLE, ""),
    "[DONE] in quotes": (WORDS, b'data: "[DONE]"\n\n', *WHOLE, ""),
    "a message instead of a delta": ([MESSAGE], b"", *WHOLE, ""),
    "a message beside the delta": (
        [WORDS[0], chunk("Paris."), chunk("", "stop", message={"content": WHOLE[0]})],
        b"",
        *WHOLE,
        "",
    ),
    "a message beside an empty delta": (
        [*WORDS, {"choices": [{"delta": {}, "message": {"content": WHOLE[0]}}]}],
        DONE,
        *WHOLE,
        "",
    ),
    "a message after the deltas": ([*WORDS, MESSAGE], b"", *WHOLE, ""),
    "several choices": (CHOICES, DONE, *WHOLE, ""),
    "a long wait before the reply": ([b"\n" * 9000, *WORDS], DONE, *WHOLE, ""),
    "neither": (WRITTEN, *CUT),
    "fields without an event": ([b"retry: 3000\n\n"], b"", "", "upstream_unavailable", ""),
    "an event without data": ([b"event: ping\n\n"], b"", "", "upstream_unavailable", ""),
    "a word that is no field": ([b"database is locked\n"], b"", "", "upstream_malformed", ""),
    "null in a text, cut": ([chunk(HALF[:20], "null"), chunk(HALF[20:], "null")], *CUT),
    "None in a text, cut": ([chunk(HALF[:20], "None"), chunk(HALF[20:], "None")], *CUT),
    "null in a text, and [DONE]": ([chunk(WHOLE[0], "null")], DONE, *WHOLE, ""),
    "a reason before the text, cut": ([chunk("", "stop"), *WRITTEN], *CUT),
    "a limit, then a stop": ([chunk(HALF, "length"), chunk("", "stop")], DONE, HALF, LIMIT, ""),
    "a limit before its end": ([chunk(HALF, "length"), chunk(".")], b"", HALF + ".", LIMIT, ""),
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
        DONE,
        *WHOLE,
        "",
    ),
    "a byte order mark": ([b"\xef\xbb\xbf", *WORDS], DONE, *WHOLE, ""),
    "comments": ([b": PROCESSING\n\n", WORDS[0], b": wait\n", WORDS[1]], DONE, *WHOLE, ""),
    "empty data": ([WORDS[0], b"data:\n\ndata: \n\n", WORDS[1]], DONE, *WHOLE, ""),
    "unknown events": (
        [b"event: ping\ndata: {}\n\n", WORDS[0], b"event: ping\ndata: x\n\n", WORDS[1]],
        DONE,
        *WHOLE,
        "",
    ),
    "named events": (
        [b"event: message\n", WORDS[0], b"event: delta\n", WORDS[1]],
        DONE,
        *WHOLE,
        "",
    ),
    "a note that is none of ours": (
        [{"message": "processing"}, *WORDS, chunk(reason="stop")],
        b"",
        *WHOLE,
        "",
    ),
    "a title beside it": ([{"title": "Paris"}, *WORDS], DONE, *WHOLE, ""),
    "Azure's filter before the choices": (
        [{"id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, *WORDS],
        DONE,
        *WHOLE,
        "",
    ),
    "a character in two events": (
        [chunk("It is \ud83d"), chunk("\ude00, "), chunk("Paris.\ud83d", "stop")],
        b"",
        "It is 😀, Paris.",
        None,
        "",
    ),
    "half a character": (
        [chunk("It is \ud83d"), chunk("Paris.")],
        DONE,
        "It is \ufffdParis.",
        None,
        "",
    ),
    "an empty error": ([{**WORDS[0], "error": None}, WORDS[1]], DONE, *WHOLE, ""),
    "an error of blanks": ([{**WORDS[0], "error": BLANKS}, WORDS[1]], DONE, *WHOLE, ""),
    "a choice's error of blanks": ([chunk(WHOLE[0], "stop", error=BLANKS)], b"", *WHOLE, ""),
    "an error": ([*WRITTEN, SENTENCE], DONE, HALF, "upstream_unavailable", "Connection error."),
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
    "flat, before a title": (
        [*WRITTEN, {"object": "error", "message": "Broken.", "code": 400}, {"title": "Paris"}],
        DONE,
        HALF,
        "upstream_rejected",
        "Broken.",
    ),
    "DeepInfra's": (
        [{"choices": None, "error_type": "BadRequestError", "error_message": "Too long."}],
        b"",
        "",
        "upstream_malformed",
        "Too long.",
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
    "an error in an unknown event": (
        [*WRITTEN, b'event: failed\ndata: {"error": {"code": 503, "message": "Broken."}}\n\n'],
        DONE,
        HALF,
        "upstream_unavailable",
        "Broken.",
    ),
    "event: error, no data": (
        [*WRITTEN, b"event: error\n\n"],
        DONE,
        HALF,
        "upstream_malformed",
        "",
    ),
    "event: error, empty data": (
        [*WRITTEN, b"event: error\ndata:\n\n"],
        DONE,
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
    "no JSON": ([*WRITTEN, NO_JSON], DONE, HALF, "upstream_malformed", ""),
    "blank": ([chunk(" ")], DONE, "", "upstream_malformed", ""),
    "nothing but a sentence": ([b"Internal error\n"], b"", "", "upstream_malformed", ""),
    "a web page": ([b"<!doctype html><title>Busy</title>"], b"", "", "upstream_malformed", ""),
}
