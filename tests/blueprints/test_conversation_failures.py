"""An upstream that fails: each code and status, stage by stage, and what there is by then."""

import base64
from io import BytesIO

import pytest
import requests
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import DEFAULTS, STT, TEXT, TTS, check, post


def refusal(code: str | None = None, message: str = "No.") -> dict[str, object]:
    """OpenAI's error body."""
    return {"error": {"message": message, "type": "t", "param": None, "code": code}}


# What the upstream answers, and what the caller is told: the code, and the status at stt.
UPSTREAM_FAILURES = [
    ({"status_code": 301, "headers": {"Location": "/elsewhere"}}, "upstream_rejected", 400),
    ({"status_code": 400, "json": refusal()}, "upstream_rejected", 400),
    ({"status_code": 401, "json": refusal("invalid_api_key")}, "api_key_rejected", 401),
    ({"status_code": 403, "json": refusal()}, "api_key_rejected", 401),
    ({"status_code": 404, "json": refusal("model_not_found")}, "upstream_rejected", 400),
    ({"status_code": 404, "text": "<html>"}, "upstream_rejected", 400),
    ({"status_code": 413, "text": "<html>"}, "upstream_rejected", 400),
    ({"status_code": 408}, "upstream_timeout", 500),
    ({"status_code": 429, "json": refusal("rate_limit_exceeded")}, "rate_limited", 500),
    ({"status_code": 429, "json": refusal("insufficient_quota")}, "quota_exhausted", 500),
    ({"status_code": 429, "json": refusal("credit_balance_exhausted")}, "quota_exhausted", 500),
    ({"status_code": 500}, "upstream_unavailable", 500),
    ({"status_code": 503, "text": "down"}, "upstream_unavailable", 500),
    ({"status_code": 504}, "upstream_timeout", 500),
    ({"exc": requests.ConnectionError}, "upstream_unavailable", 500),
    ({"exc": requests.ReadTimeout}, "upstream_timeout", 500),
    ({"exc": requests.exceptions.ChunkedEncodingError}, "upstream_unavailable", 500),
    ({"exc": ZeroDivisionError}, "internal_error", 500),
]
UNREADABLE = [
    {"text": "not JSON"},
    {"json": []},
    {"json": {"choices": []}},
    {"json": {"text": 7, "choices": [{"message": {"content": None}}]}},
    {"json": {"text": [], "choices": [{"message": {"content": [["Hi."]], "refusal": 7}}]}},
    {"json": {"text": {}, "choices": [{"finish_reason": "stop", "message": {"content": " "}}]}},
    {"text": '{"text": ' + "[" * 100_000},
    {"text": '{"text": "' + "x" * 1_000_000 + '"}'},
]


class TestUpstreamFails:
    """What there is by then is returned: 206 from the transcript on."""

    @pytest.mark.parametrize(("answer", "code", "status"), UPSTREAM_FAILURES, ids=str)
    @pytest.mark.parametrize("stage", ["stt", "text", "tts"])
    def test_a_failing_stage_is_named_with_its_code(
        self, client, openai, stage, answer, code, status
    ):
        """Each failure at each stage: the code, the stage, and all that was there before."""
        openai.post({"stt": STT, "text": TEXT, "tts": TTS}[stage], **answer)
        body = check(post(client, audio=wav()), status if stage == "stt" else 206, code, stage)
        assert bool(body["transcript"]) is (stage != "stt")
        assert bool(body["text_response"]) is (stage == "tts")
        assert body["audio"] == ""
        assert body["models_used"] == DEFAULTS  # What replaces one has not answered either.
        if "status_code" in answer:
            assert body["errors"][0]["upstream_status"] == answer["status_code"]

    @pytest.mark.parametrize("answer", UNREADABLE, ids=lambda answer: str(answer)[:40])
    @pytest.mark.parametrize(("stage", "url"), [("stt", STT), ("text", TEXT)])
    def test_an_answer_that_cannot_be_read_is_malformed(self, client, openai, stage, url, answer):
        """The upstream is input too."""
        openai.post(url, **answer)
        status = 500 if stage == "stt" else 206
        check(post(client, audio=wav()), status, "upstream_malformed", stage)

    @pytest.mark.parametrize("reply", ["", "  \n"])
    def test_a_blank_reply_is_malformed(self, client, openai, reply):
        """There is nothing to speak, so nothing is sent to be spoken."""
        openai.post(TEXT, json={"choices": [{"message": {"content": reply}}]})
        check(post(client, audio=wav()), 206, "upstream_malformed", "text")
        assert len(openai.request_history) == 2

    def test_a_refusal_is_a_reply(self, client, openai):
        """A model that declines says so in a field of its own, and is heard saying it."""
        message = {"role": "assistant", "content": None, "refusal": " I can't help with that. "}
        openai.post(TEXT, json={"choices": [{"message": message, "finish_reason": "stop"}]})
        body = check(post(client, audio=wav()), 200, None)
        assert body["text_response"] == "I can't help with that."
        assert openai.request_history[2].json()["input"] == "I can't help with that."

    @pytest.mark.parametrize("reason", ["length", "content_filter"])
    @pytest.mark.parametrize("field", ["content", "refusal"])
    def test_a_reply_that_the_model_did_not_finish_is_spoken(self, client, openai, reason, field):
        """What there is, is said, and the caller is told that it is not all."""
        choice = {"message": {"content": None, field: "It is"}, "finish_reason": reason}
        openai.post(TEXT, json={"choices": [choice]}, headers={"x-request-id": "req_7"})
        body = check(post(client, audio=wav()), 206, "text_incomplete", "text")
        assert body["errors"][0]["upstream_request_id"] == "req_7"
        assert body["text_response"] == openai.request_history[2].json()["input"] == "It is"
        assert base64.b64decode(body["audio"]) == b"ID3 speech"

    @pytest.mark.parametrize("reason", ["stop", "tool_calls", None, ["length"]])
    def test_any_other_end_is_a_whole_reply(self, client, openai, reason):
        """Hosts spell the usual end in ways of their own."""
        choice = {"message": {"content": "It is noon."}, "finish_reason": reason}
        openai.post(TEXT, json={"choices": [choice]})
        check(post(client, audio=wav()), 200, None)

    @pytest.mark.parametrize(
        ("speech", "reply", "audible"),
        [
            ({"status_code": 500}, "It is", False),
            ({"exc": ZeroDivisionError}, "It is", False),
            ({"content": b"ID3 speech"}, "It is. " * 1000, True),
        ],
        ids=["unavailable", "ours", "truncated"],
    )
    def test_where_more_fails_the_unfinished_reply_stands(
        self, client, openai, speech, reply, audible
    ):
        """The first failure is the one that is told, whatever befalls the speech."""
        choice = {"message": {"content": reply}, "finish_reason": "length"}
        openai.post(TEXT, json={"choices": [choice]})
        openai.post(TTS, **speech)
        body = check(post(client, audio=wav()), 206, "text_incomplete", "text")
        assert bool(body["audio"]) is audible

    def test_empty_speech_is_malformed(self, client, openai):
        """A 200 without a body is no speech."""
        openai.post(TTS, content=b"", headers={"Content-Length": "0"})
        check(post(client, audio=wav()), 206, "upstream_malformed", "tts")

    @pytest.mark.parametrize("transcript", ["", " \n\t"])
    def test_a_blank_transcript_ends_the_conversation(self, client, openai, transcript):
        """No chat model is asked about silence."""
        openai.post(STT, json={"text": transcript})
        check(post(client, audio=wav()), 206, "no_speech", "stt")
        assert len(openai.request_history) == 1

    def test_a_long_reply_is_spoken_up_to_a_sentences_end(self, client, openai):
        """The whole reply is returned as text; the first 4,096 characters' sentences are spoken."""
        reply = "This sentence is of forty characters, yes. " * 100
        openai.post(TEXT, json={"choices": [{"message": {"content": reply}}]})
        body = check(post(client, audio=wav()), 206, "text_truncated", "tts")
        spoken = openai.request_history[2].json()["input"]
        assert body["text_response"] == reply.strip()
        assert body["audio"]
        assert len(spoken) <= 4096
        assert reply.startswith(spoken)
        assert spoken.endswith("yes.")

    def test_half_a_surrogate_pair_harms_nothing(self, client, openai):
        """JSON can hold what no text can; the reply is spoken without it."""
        reply = r'{"choices": [{"message": {"content": "Well \ud800. ' + "Yes. " * 1000 + '"}}]}'
        openai.post(TEXT, text=reply)
        check(post(client, audio=wav()), 206, "text_truncated", "tts")

    def test_what_the_upstream_says_of_itself_is_passed_on(self, client, openai):
        """Its status, its request id, and how long to wait, in whole seconds rounded up."""
        openai.post(
            STT,
            status_code=429,
            json=refusal(),
            headers={"Retry-After": "1.2", "x-request-id": "req_123"},
        )
        response = post(client, audio=wav())
        error = check(response, 500, "rate_limited", "stt")["errors"][0]
        assert (error["upstream_status"], error["upstream_request_id"], error["retry_after"]) == (
            429,
            "req_123",
            2,
        )
        assert response.headers["Retry-After"] == "2"

    def test_the_upstreams_reason_for_a_refusal_is_passed_on(self, client, openai):
        """A caller whose file is refused learns why, in one line."""
        openai.post(STT, status_code=400, json=refusal(message="Audio file is\n too short."))
        error = check(post(client, audio=wav()), 400, "upstream_rejected", "stt")["errors"][0]
        assert error["message"].endswith("saying: Audio file is too short.")

    def test_a_message_with_a_word_of_the_keys_prefix_is_passed_on(self, openai):
        """Every project key says "proj": that is no secret, and the reason may be needed."""
        key = "sk-proj-Zq8vX3mK7pT2wR9yL4nB6cD1"
        openai.post(STT, status_code=400, json=refusal(message="Your project is archived."))
        response = (
            make_app()
            .test_client()
            .post(
                "/api/conversation/",
                data={"audio": (BytesIO(wav()), "a.wav")},
                headers={"X-OpenAI-API-Key": key, "X-Request-ID": "project-42"},
            )
        )
        error = check(response, 400, "upstream_rejected", "stt")["errors"][0]
        assert error["message"].endswith("saying: Your project is archived.")
        assert response.headers["X-Request-ID"] == "project-42"

    @pytest.mark.parametrize(
        "message",
        [f"Bad {KEY}", f"Bad {KEY[:7]}****{KEY[-4:]}.", f"***{KEY[-4:]}", f"…{KEY[9:15]}…"],
    )
    @pytest.mark.parametrize("status", [400, 401, 429, 500])
    def test_no_part_of_a_key_comes_back(self, client, openai, status, message):
        """OpenAI repeats a masked key in its message; the caller's answer does not."""
        openai.post(STT, status_code=status, json=refusal(message=message))
        text = post(client, audio=wav()).text
        assert "Bad" not in text
        assert KEY[3:7] not in text
        assert KEY[-4:] not in text
        assert KEY[9:15] not in text

    def test_only_the_first_failure_is_told(self, client, openai):
        """A chain that stopped has one reason."""
        openai.post(TEXT, status_code=500)
        openai.post(TTS, status_code=500)
        assert len(post(client, audio=wav()).get_json()["errors"]) == 1
