"""Streams of a reply as they were met, and what they mean."""

import json

from testing.met_answers import BLANKS, HALF, WHOLE, chunk

DONE, STOP = b"data: [DONE]\n\n", chunk(reason="stop")
UNAVAILABLE, MALFORMED, LIMIT = "upstream_unavailable", "upstream_malformed", "text_incomplete"
WHY = "It broke."
SENTENCE = {"error": {"message": WHY, "type": None, "code": "500"}}
PIECE = b'data: {"object": "chat.c'
WORDS = [chunk("It is "), chunk("Paris.")]
WRITTEN = [chunk(HALF[:20]), chunk(HALF[20:])]
PARIS = {"content": WHOLE[0]}
WHOLE_EVENT = b"data: " + json.dumps(chunk(WHOLE[0])).encode() + b"\n\n"
MESSAGE = {"choices": [{"message": PARIS, "finish_reason": "stop"}]}


def named(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


# The events of a whole reply.
WHOLES = {
    "a reason and [DONE]": [*WORDS, STOP, DONE],
    "[DONE] alone": [*WORDS, DONE],
    "a reason alone": [*WORDS, STOP],
    "[DONE] without its end": [*WORDS, b"data: [DONE]"],
    "[DONE] and more": [*WORDS, b"data: [DONE]{}\n\n"],
    "[DONE] in quotes": [*WORDS, b'data: "[DONE]"\n\n'],
    "[DONE] in small letters": [*WORDS, b"data: [done]\n\n"],
    "[DONE] without its field": [*WORDS, b"[DONE]\n"],
    "a message instead of a delta": [MESSAGE],
    "a message beside the delta": [*WORDS, chunk("", "stop", message=PARIS)],
    "a message beside an empty delta": [
        *WORDS,
        {"choices": [{"delta": {}, "message": PARIS}]},
        DONE,
    ],
    "a message after the deltas": [*WORDS, MESSAGE],
    "several choices": [
        chunk("It is ", index=0),
        chunk("No", index=1),
        chunk("Paris.", "stop", index=0),
    ],
    "counted events": [  # TGI's
        chunk("It is ", index=1),
        chunk("Paris.", index=2),
        chunk("", "eos_token", index=3),
    ],
    "a long wait before the reply": [b"\n" * 9000, *WORDS, DONE],
    "null in a text, and [DONE]": [chunk(WHOLE[0], "null"), DONE],
    "the last event without its end": [
        WORDS[0],
        b"data: " + json.dumps(chunk("Paris.", "stop")).encode(),
    ],
    "CRLF": [b": wait\r\n\r\ndata: " + json.dumps(MESSAGE).encode() + b"\r\n\r\n"],
    "lines within data": [
        b"data: : OPENROUTER PROCESSING\n\ndata: : keep-alive\ndata: " + WHOLE_EVENT,
        b"data: data: data:[DONE]\n\n",
    ],
    "unknown events": [named("ping", {}), WORDS[0], named("ping", "x"), WORDS[1], DONE],
    "named events": [b"event: message\n", WORDS[0], b"event: delta\n", WORDS[1], DONE],
    "a note that is none of ours": [{"message": "processing"}, *WORDS, STOP],
    "a title beside it": [{"title": "Paris"}, *WORDS, DONE],
    "Azure's filter": [{"choices": [], "prompt_filter_results": [{}]}, *WORDS, DONE],
    "content of null": [chunk(), *WORDS, chunk(reason="stop"), {"choices": [], "usage": {}}, DONE],
    "a long event": [{"padding": "x" * 900_000}, *WORDS, DONE],
    "a byte order mark": [b"\xef\xbb\xbf", *WORDS, DONE],
    "an empty error": [{**WORDS[0], "error": None}, WORDS[1], DONE],
    "an error of blanks": [{**WORDS[0], "error": BLANKS}, WORDS[1], DONE],
    "a choice's error of blanks": [chunk(WHOLE[0], "stop", error=BLANKS)],
}
# What comes behind the half of a reply, and the code.
BROKEN = {
    "neither": ([], UNAVAILABLE),
    "cut amid an event": ([b'data: {"choices": ['], UNAVAILABLE),
    "an error": ([SENTENCE, DONE], UNAVAILABLE),
    "an error before a reason": ([SENTENCE, STOP], UNAVAILABLE),
    "OpenRouter's": (
        [{"error": {"code": 429, "message": WHY}, **chunk("", "error")}],
        "rate_limited",
    ),
    "a choice's error": ([chunk("", "error", error={"code": 502, "message": WHY})], UNAVAILABLE),
    "a choice's error alone": ([chunk("", None, error={"message": WHY})], MALFORMED),
    "OpenAI's": ([{"error": {"type": "server_error", "message": WHY}}], UNAVAILABLE),
    "an error in a text": ([{"error": WHY}], MALFORMED),
    "Gemini's": ([[{"error": {"code": 503, "message": WHY}}]], UNAVAILABLE),
    "flat, before a title": (
        [{"object": "error", "message": WHY, "code": 400}, {"title": "Paris"}, DONE],
        "upstream_rejected",
    ),
    "detail": ([{"detail": WHY}], MALFORMED),
    "MiniMax's": ([{"base_resp": {"status_code": 1000, "status_msg": WHY}}], MALFORMED),
    "event: error": ([named("error", {"message": WHY})], MALFORMED),
    "event: error, a text": ([f"event: error\ndata: {WHY}\n\n".encode()], MALFORMED),
    "event: error, a code": ([named("error", {"error": {"code": 503}})], UNAVAILABLE),
    "an error in an unknown event": (
        [named("failed", {"error": {"code": 503, "message": WHY}}), DONE],
        UNAVAILABLE,
    ),
    "DashScope's": (
        [b":HTTP_STATUS/429\n" + named("error", {"code": "Throttling", "message": WHY})],
        "rate_limited",
    ),
    "event: error, no data": ([b"event: error\n\n", DONE], MALFORMED),
    "event: error, empty data": ([b"event: error\ndata:\n\n", DONE], MALFORMED),
    "llama.cpp's": ([f'error: {{"code": 500, "message": "{WHY}"}}\n\n'.encode()], UNAVAILABLE),
    "a line of JSON": ([json.dumps({"error": {"message": WHY}}).encode() + b"\n\n"], MALFORMED),
    "too many lists": ([{"padding": [[]] * 60_000}], MALFORMED),
    "no JSON": ([b"data: {nonsense\n\n", DONE], MALFORMED),
    "an error in a broken event": ([PIECE + b"\n", SENTENCE, DONE], UNAVAILABLE),
    "an error in a broken line": ([PIECE, SENTENCE, DONE], UNAVAILABLE),
    "a chunk in a broken line": ([PIECE, chunk(" is"), STOP, DONE], MALFORMED),
}
# The events, what was written, the code; the reason is told where it stands in them.
STREAMS = {
    **{name: (events, *WHOLE) for name, events in WHOLES.items()},
    **{name: ([*WRITTEN, *rest], HALF, code) for name, (rest, code) in BROKEN.items()},
    "an error beside a choice": ([WRITTEN[0], {**WRITTEN[1], **SENTENCE}], HALF, UNAVAILABLE),
    "fields without an event": ([b"retry: 3000\n\n"], "", UNAVAILABLE),
    "an event without data": ([b"event: ping\n\n"], "", UNAVAILABLE),
    "a word that is no field": ([b"database is locked\n"], "", MALFORMED),
    "null in a text, cut": ([chunk(HALF, "null")], HALF, UNAVAILABLE),
    "None in a text, cut": ([chunk(HALF, "None")], HALF, UNAVAILABLE),
    "a reason before the text, cut": ([chunk("", "stop"), *WRITTEN], HALF, UNAVAILABLE),
    "a limit, then a stop": ([chunk(HALF, "length"), chunk("", "stop"), DONE], HALF, LIMIT),
    "a limit before its end": ([chunk(HALF, "length"), chunk(".")], HALF + ".", LIMIT),
    "a character in two events": (
        [chunk("It is \ud83d"), chunk("\ude00, "), chunk("Paris.\ud83d", "stop")],
        "It is 😀, Paris.",
        None,
    ),
    "half a character": ([chunk("It is \ud83d"), WORDS[1], DONE], "It is \ufffdParis.", None),
    "DeepInfra's": (
        [{"choices": None, "error_type": "BadRequestError", "error_message": WHY}],
        "",
        MALFORMED,
    ),
    "blank": ([chunk(" "), DONE], "", MALFORMED),
    "MiniMax's, beside a blank reply": (
        [{**chunk("", "stop"), "base_resp": {"status_code": 1027, "status_msg": WHY}}, DONE],
        "",
        MALFORMED,
    ),
    "nothing but a sentence": ([b"Internal error\n"], "", MALFORMED),
    "a web page": ([b"<!doctype html><title>Busy</title>"], "", MALFORMED),
}
