"""Upstreams' answers as they were met: what counts as a whole success, and what does not."""

import json

import pytest
from testing.fake_openai import REPLY, http
from testing.met_answers import BLANKS, HALF, WHOLE, answers, chunk, streamed
from testing.met_streams import DONE, LIMIT, STREAMS, WHY
from testing.representations import REPRESENTATIONS, SOUND, STREAM, bodies, post, spread, told
from testing.upstream_faults import closes

from parley.errors import ThoughtsAlone, UpstreamMalformed

TRANSCRIPTS = {
    "null": ({"text": None}, ""),
    "blank": ({"text": " \n"}, ""),
    "blank audio": ({"text": " [BLANK_AUDIO]\n"}, ""),
    "silence": ({"text": "[silence]"}, ""),
    "a remark of several words": ({"text": "[ No speech detected. ]"}, ""),
    "double brackets": ({"text": " [[BLANK_AUDIO]]\n"}, ""),
    "round brackets": ({"text": "(wind blowing)"}, ""),
    "a remark for each segment": ({"text": " [BLANK_AUDIO]\n [BLANK_AUDIO]\n"}, ""),
    "wide brackets": ({"text": "\uff08音楽\uff09"}, ""),
    "black brackets": ({"text": "【音樂】"}, ""),
    "a remark with its full stop": ({"text": "[Music]."}, ""),
    "notes around a remark": ({"text": "♪ (upbeat music) ♪"}, ""),
    "a dash before a remark": ({"text": "- [Music]"}, ""),
    "full stops and a note": ({"text": " ... ♪"}, ""),
    "SenseVoice's tokens": ({"text": "<|en|><|NEUTRAL|><|Speech|><|withitn|>Hello."}, "Hello."),
    "a token alone": ({"text": "<|nospeech|>"}, ""),
    "tokens of time": ({"text": "<|0.00|> Is 1 < 2?<|1.50|>"}, "Is 1 < 2?"),
    "Qwen3-ASR's language": ({"text": "language English<asr_text>Hello."}, "Hello."),
    "no language": ({"text": "language None<asr_text>"}, ""),
    "a sentence in JSON": ("Hello.", "Hello."),
    "a remark in JSON": ("[silence]", ""),
    "a plain text": (b"\xef\xbb\xbfHello.\n", "Hello."),
    "a plain number": (b"42", "42"),
    "a plain remark": (b" [BLANK_AUDIO]\n", ""),
    "a plain line end": (b"\n", ""),
    "angle brackets": ({"text": "<noise> {cough}"}, ""),
    "signs that nobody sees": ({"text": "\u200b\ufeff\0"}, ""),
    "times": ({"text": "[00:00:00.000 --> 00:00:02.000]  Hello."}, "Hello."),
    "line breaks": (b'{"text": "Hello\n\tyou."}', "Hello\n\tyou."),
    "other signs": ({"text": "?!"}, "?!"),
    "a word in stars": ({"text": "*coughs*"}, "*coughs*"),
    "a number": ({"text": "(5) 5"}, "(5) 5"),
    "words between remarks": ({"text": "(sighs) No. (laughs)"}, "(sighs) No. (laughs)"),
    "words behind a remark": ({"text": "[music] What time is it?"}, "[music] What time is it?"),
    "two remarks": ({"text": "[1] and [2]"}, "[1] and [2]"),
    "an empty error": ({"text": "Hello.", "error": None, "message": "ok"}, "Hello."),
    "an error of blanks": ({"text": "Hello.", "error": BLANKS}, "Hello."),
}


@REPRESENTATIONS
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_without_words_is_no_speech(met, accept, name):
    """The transcript is empty then, and no later call is made."""
    data, transcript = TRANSCRIPTS[name]
    answers(met, "stt", data, Content_Type="text/plain; charset=utf-8")
    response = post(met, accept)
    answer = told(response)
    assert transcript or response.is_json  # Nothing of a stream or of sound had been sent.
    assert answer.transcript == transcript
    assert (answer.status, answer.code) == ((200, None) if transcript else (206, "no_speech"))
    assert len(met.requests) == (3 if transcript else 1)


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hmm"}]}
TEXT, HMM = {"type": "text", "text": "It is Paris."}, {"type": "text", "text": "Hmm"}
REFUSED = {"type": "refusal", "refusal": "No."}
SPLIT = [{"type": "text", "text": "It is "}, {"type": "text", "text": "Paris."}]
NOTED = {"type": "text", "text": {"value": "It is Paris.", "annotations": []}}
# What the content is, and the reason, where the reply is whole.
WHOLES = {
    "a text": (" It is Paris. ", "stop"),
    "parts": ([THOUGHT, TEXT], "stop"),
    "parts of text": (SPLIT, "stop"),
    "output_text": ([{**TEXT, "type": "output_text"}], "stop"),
    "reasoning": ([{**HMM, "type": "reasoning"}, TEXT], "stop"),
    "a marked thought": ([{**HMM, "thought": True}, TEXT], "stop"),
    "texts alone": (["It is ", "Paris."], "stop"),
    "parts without a type": ([{"reasoningContent": HMM}, {"text": "It is Paris."}], "stop"),
    "a text with annotations": ([NOTED], "stop"),
    "a part that refuses beside a text": ([TEXT, REFUSED], "stop"),
    **{
        name: ("It is Paris.", name) for name in ("eos_token", "tool_calls", "no_error", "failover")
    },
    "no reason that is a text": ("It is Paris.", ["length"]),
}
CUT = (
    "length max_tokens MAX_TOKENS content_filter model_length model_context_window_exceeded "
    "sensitive SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII max_output_tokens ERROR_LIMIT "
    "ERROR_TOXIC content_filtered guardrail_intervened refusal context_length_exceeded"
)
FAILED = "error abort network_error insufficient_system_resource cancelled timeout failed timed_out"
WEB_PAGE = "a web page where JSON was asked for; check the"
DOWN, NO_REPLY = "upstream_unavailable", ("", "upstream_malformed")
# What the message holds, the reason, and what becomes of it.
MESSAGES = {
    **{name: ({"content": content}, reason, WHOLE) for name, (content, reason) in WHOLES.items()},
    "reasoning beside": ({"content": "It is Paris.", "reasoning_content": "Hmm"}, "stop", WHOLE),
    "content and refusal": ({"content": "It is Paris.", "refusal": "No."}, "stop", WHOLE),
    "a refusal among the parts": ({"content": [REFUSED]}, "stop", ("No.", None)),
    "a refusal": ({"content": None, "refusal": " No. "}, "stop", ("No.", None)),
    "a refusal beside nothing": ({"content": "", "refusal": "No."}, "stop", ("No.", None)),
    "half a refusal": ({"content": None, "refusal": "No"}, "length", ("No", LIMIT)),
    "thoughts alone": ({"content": [THOUGHT]}, "stop", NO_REPLY),
    "reasoning_content alone": ({"content": "", "reasoning_content": "Hm"}, "stop", NO_REPLY),
    "reasoning alone": ({"content": None, "reasoning": "It is Paris."}, "stop", NO_REPLY),
    "thoughts in tags, alone": ({"content": "<think>Hmm</think>\n"}, "stop", NO_REPLY),
    "blank reasoning": ({"content": "", "reasoning": ""}, "stop", NO_REPLY),
    "blank": ({"content": "  \n"}, "stop", NO_REPLY),
    **{reason: ({"content": HALF}, reason, (HALF, LIMIT)) for reason in CUT.split()},
    **{reason: ({"content": HALF}, reason, (HALF, DOWN)) for reason in FAILED.split()},
    "thoughts up to the length": ({"content": [THOUGHT]}, "length", ("", LIMIT)),
    "nothing up to the length": ({"content": None}, "length", ("", LIMIT)),
    "thoughts in tags": ({"content": "<think>Hmm"}, "max_tokens", ("", LIMIT)),
    "error at once": ({"content": ""}, "error", ("", DOWN)),
}


@REPRESENTATIONS
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_understood(met, accept, streams, name):
    """Whether the host streams or not, whatever it was asked for."""
    message, reason, (text, code) = MESSAGES[name]
    if streams:
        events = {"choices": [{"delta": message}]}, chunk(reason=reason), DONE
        answers(met, "text", streamed(*events))
    else:
        answers(met, "text", {"choices": [{"message": message, "finish_reason": reason}]})
    answer = told(post(met, accept))
    assert (answer.reply, answer.code) == (text, code)
    assert (answer.message == ThoughtsAlone.message) is ("alone" in name and not text)
    assert bool(answer.sound) is bool(text)
    assert answer.status == (206 if code else 200)
    again = code == DOWN and (accept != STREAM or not text)
    assert len(bodies(met, "text")) == (3 if again else 1)


@spread(
    [
        (b"The capital is", "text", "text/html"),
        (b" 42", "text", ""),
        (b"\x7f\xff\xff", "text", "text/plain"),
        *((page, WEB_PAGE, "text/plain") for page in (b"<!doctype html><p>", b"\n\n<html></html>")),
        (b'{"text": "The', None, "text/plain"),
        (b"[]", None, "text/plain"),
    ]
)
def test_what_comes_instead_of_json_is_named(met, accept, stage, row):
    """It is neither a transcript nor a reply; a base URL that lacks a part leads to a web page."""
    body, came, kind = row
    stage = "stt" if stage == "tts" else stage
    answers(met, stage, body, Content_Type=kind)
    answer = told(post(met, accept))
    assert (answer.code, answer.stage) == ("upstream_malformed", stage)
    assert (answer.transcript if stage == "stt" else answer.reply) == ""
    sentence = f"The upstream sent {came}" if came else UpstreamMalformed.message
    assert answer.message.startswith(sentence)


@REPRESENTATIONS
def test_blank_lines_may_come_for_long_before_a_whole_reply(met, accept):
    """Busy hosts keep the connection open so (DeepSeek's documents), whatever they were asked."""
    reply = {"choices": [{"message": {"content": WHOLE[0]}, "finish_reason": "stop"}]}
    answers(met, "text", b"\n" * 9000 + json.dumps(reply, indent=1).encode())
    assert told(post(met, accept)).reply == WHOLE[0]


PASSING = (DOWN, "rate_limited")


@REPRESENTATIONS
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_understood(met, accept, name):
    """Asked for or not. What was written before a failure is spoken, in JSON after more tries."""
    events, text, code = STREAMS[name]
    sent = streamed(*events)
    answers(met, "text", sent, Content_Type="text/event-stream")
    answer = told(post(met, accept))
    assert (answer.reply, answer.code) == (text, code)
    assert answer.stage == ("text" if code and accept != SOUND else answer.stage)
    assert bool(answer.sound) is bool(text)
    if accept != SOUND or not text:
        assert (WHY in answer.message) is (WHY.encode() in sent)
    again = code in PASSING and (accept != STREAM or not text)
    assert len(bodies(met, "text")) == (3 if again else 1)


@REPRESENTATIONS
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_stream_may_end_with_its_connection(met, accept, version):
    """As those of older proxies do."""
    head = b"HTTP/%s 200 OK\r\nConnection: close\r\n\r\n" % version
    met.answers["text"] = closes(head + streamed(*STREAMS["a reason alone"][0]))
    answer = told(post(met, accept))
    assert (answer.reply, answer.code) == (WHOLE[0], None)


UNKNOWN = {"code": 404, "message": "The model gpt-4o does not exist."}


@pytest.mark.parametrize("accept", ["application/json", SOUND])
@pytest.mark.parametrize(("fails", "error"), [(2, None), (1, UNKNOWN)], ids=["", "unknown"])
def test_a_later_try_may_bring_the_whole_reply(met, accept, fails, error):
    """What an earlier one had written is forgotten then; a model not known is replaced at once."""
    broken = {"message": {"content": HALF}, "finish_reason": "error", "error": error}
    whole = {"message": {"content": REPLY}, "finish_reason": "stop"}
    left = iter([*[broken] * fails, whole])

    def answer_in_turn(connection, request):
        connection.sendall(http(json.dumps({"choices": [next(left)]}).encode()))
        return True

    met.answers["text"] = answer_in_turn
    answered = told(post(met, accept))
    assert (answered.status, answered.reply) == (200, REPLY)
    assert (answered.models["text"] != "gpt-4o") is bool(error)


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
