"""An upstream that fails: what there is by then, and what is told of it."""

import pytest
from testing.builders import wav
from testing.conversation_forms import DEFAULTS, STT, TEXT, TTS, check, converse, post

UNREADABLE = [
    {"text": "not JSON"},
    {"content": b"\xff"},
    {"json": []},
    {"json": {"choices": []}},
    {"json": {"text": 7, "choices": [{"message": {"content": None}}]}},
    {"json": {"text": [], "choices": [{"message": {"content": [["Hi."]], "refusal": 7}}]}},
    {"json": {"text": {}, "choices": [{"finish_reason": "stop", "message": {"content": " "}}]}},
    {"text": '{"text": ' + "[" * 40_000},
    {"text": '{"text": "' + "x" * 1_000_000 + '"}'},
]


def refusal(message: str = "No.") -> dict[str, object]:
    """OpenAI's error body."""
    return {"error": {"message": message, "type": "t", "param": None, "code": None}}


@pytest.mark.parametrize("answer", UNREADABLE, ids=lambda answer: str(answer)[:40])
@pytest.mark.parametrize(("stage", "url"), [("stt", STT), ("text", TEXT)])
def test_an_answer_that_cannot_be_read_is_malformed(client, openai, stage, url, answer):
    """The upstream is input too; the error names the answer that caused it."""
    openai.post(url, **answer, headers={"x-request-id": "up-1"})
    status = 500 if stage == "stt" else 206
    [error] = check(post(client, audio=wav()), status, "upstream_malformed", stage)["errors"]
    assert (error["upstream_status"], error["upstream_request_id"]) == (200, "up-1")


@pytest.mark.parametrize("stage", ["stt", "text", "tts"])
def test_a_failure_of_our_own_leaves_what_there_was(client, openai, logged, stage):
    """It is `internal_error`, whose text, which may hold a key, stays out of the log."""
    openai.post({"stt": STT, "text": TEXT, "tts": TTS}[stage], exc=ZeroDivisionError("sk-secret"))
    response = post(client, audio=wav())
    body = check(response, 500 if stage == "stt" else 206, "internal_error", stage)
    assert bool(body["transcript"]) is (stage != "stt")
    assert bool(body["text_response"]) is (stage == "tts")
    assert body["models_used"] == DEFAULTS
    assert f"stage={stage} kind=ZeroDivisionError" in logged.text
    assert "sk-secret" not in logged.text


@pytest.mark.parametrize(
    ("speech", "reply", "audible"),
    [
        ({"status_code": 500}, "It is", False),
        ({"exc": ZeroDivisionError}, "It is", False),
        ({"content": b"ID3 speech"}, "It is. " * 1000, True),
    ],
    ids=["unavailable", "ours", "truncated"],
)
def test_where_more_fails_the_unfinished_reply_stands(client, openai, speech, reply, audible):
    """The first failure is the one that is told, whatever befalls the speech."""
    choice = {"message": {"content": reply}, "finish_reason": "length"}
    openai.post(TEXT, json={"choices": [choice]}, headers={"x-request-id": "req_7"})
    openai.post(TTS, **speech)
    body = check(post(client, audio=wav()), 206, "text_incomplete", "text")
    assert body["errors"][0]["upstream_request_id"] == "req_7"
    assert bool(body["audio"]) is audible


def test_a_long_reply_is_spoken_up_to_a_sentences_end(client, openai):
    """The whole is returned as text, without half a surrogate pair, which no text can hold."""
    reply = "This sentence is of forty characters, yes. " * 100
    openai.post(TEXT, text=r'{"choices": [{"message": {"content": "\ud800' + reply + '"}}]}')
    body = check(post(client, audio=wav()), 206, "text_truncated", "tts")
    spoken = openai.request_history[2].json()["input"]
    assert body["text_response"][1:] == reply.strip()
    assert body["audio"]
    assert len(spoken) <= 4096
    assert reply.startswith(spoken[1:])
    assert spoken.endswith("yes.")


def test_what_the_upstream_says_of_itself_is_passed_on(client, openai):
    """Its status, its request id, and how long to wait, in whole seconds rounded up."""
    headers = {"Retry-After": "1.2", "x-request-id": "req_123"}
    openai.post(STT, status_code=429, json=refusal(), headers=headers)
    response = post(client, audio=wav())
    [error] = check(response, 500, "rate_limited", "stt")["errors"]
    told = error["upstream_status"], error["upstream_request_id"], error["retry_after"]
    assert told == (429, "req_123", 2)
    assert response.headers["Retry-After"] == "2"


def test_a_reason_with_a_word_of_the_keys_prefix_is_passed_on(client, openai):
    """In one line. Every project key says "proj": that is no secret, and may be needed."""
    openai.post(STT, status_code=400, json=refusal("Your project\n is archived."))
    headers = {"X-OpenAI-API-Key": "sk-proj-Zq8vX3mK7pT2wR9yL4nB6cD1", "X-Request-ID": "project-42"}
    response = converse(client, headers)
    [error] = check(response, 400, "upstream_rejected", "stt")["errors"]
    assert error["message"].endswith("saying: Your project is archived.")
    assert response.headers["X-Request-ID"] == "project-42"
