"""POST /api/conversation/ keeps its contract where it works, is refused, and fails."""

import base64
import gzip

import pytest
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import DEFAULTS, MAIN, PATH, STT, TEXT, TTS, check, converse, post

NO_KEYS = [{}, {"X-OpenAI-API-Key": " "}, {"Authorization": "Basic a"}]
NO_KEYS += [{"Authorization": "Bearer"}, {"Authorization": "Bearer  "}]
WAV = wav()
HEAD = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize("path", ["/api/conversation", "/api/conversation/"])
def test_a_conversation_returns_what_was_heard_said_and_spoken(client, openai, path):
    """With fields that are not known, and without the closing slash."""
    response = post(client, path, audio=WAV, mood="cheerful", extra=b"file")
    answer = check(response, 200, None)
    assert answer["transcript"] == "What time is it?"
    assert answer["text_response"] == "It is noon."
    assert base64.b64decode(answer["audio"]) == b"ID3 speech"
    assert answer["models_used"] == DEFAULTS
    assert [call.url for call in openai.request_history] == [STT, TEXT, TTS]


@pytest.mark.parametrize(
    ("headers", "required", "sent"),
    [
        ({"X-OpenAI-API-Key": KEY}, "yes", f"Bearer {KEY}"),
        ({"Authorization": f"bearer {KEY}"}, "yes", f"Bearer {KEY}"),
        ({"X-OpenAI-API-Key": KEY, "Authorization": "Bearer other"}, "yes", f"Bearer {KEY}"),
        ({"X-OpenAI-API-Key": KEY}, "no", f"Bearer {KEY}"),
        *((headers, "no", None) for headers in NO_KEYS),
        *((headers, "yes", None) for headers in NO_KEYS),
    ],
)
def test_the_three_calls_carry_the_callers_key(openai, headers, required, sent):
    """From either header, whichever scheme is written; without one no call is made, if it must."""
    response = converse(make_app(PARLEY_KEY_REQUIRED=required).test_client(), headers)
    is_refused = required == "yes" and not sent
    check(response, *((401, "api_key_missing") if is_refused else (200, None)))
    carried = [call.headers.get("Authorization") for call in openai.request_history]
    assert carried == ([] if is_refused else [sent] * 3)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "audio_missing"),
        ({"audio": "text", "other": b"file"}, "audio_missing"),
        ({"audio": "x" * 20_000_000, "voice": "nova"}, "audio_missing"),
        ({"audio": ["x", WAV]}, "request_malformed"),
        ({"audio": [WAV, WAV]}, "request_malformed"),
        ({"audio": b""}, "audio_empty"),
        ({"audio": WAV + bytes(26_214_400)}, "audio_too_large"),
        ({"audio": WAV, "text_model": "a\x00b"}, "option_invalid"),
        ({"audio": WAV, "tts_model": b"two\nlines"}, "option_invalid"),
        ({"audio": WAV, "system_prompt": b"x" * 131_073}, "request_malformed"),
        ({"audio": WAV, **{f"f{n}": "x" for n in range(40)}}, "request_malformed"),
        ({"audio": WAV, "note": "x" * 600_000}, "request_malformed"),
        ({"audio": WAV, "a": "x" * 100_000, "b": "x" * 100_000}, "request_malformed"),
        ({"audio": WAV, "history": "x" * 900_000}, "option_invalid"),
        ({"audio": WAV, "stt_model": ["a", "b"]}, "request_malformed"),
        ({"audio": WAV, "history": ["", ""]}, "request_malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value)[:40] or "nothing",
)
def test_a_form_that_cannot_be_used_is_refused(client, openai, fields, code):
    """A field that comes twice is named: which of the two is meant cannot be told."""
    [error] = check(post(client, **fields), 400, code)["errors"]
    twice = [f"'{name}' came more than once" for name in fields if isinstance(fields[name], list)]
    assert all(words in error["message"] for words in twice)
    assert not openai.called


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"audio": "x"}'),
        ("audio/wav", WAV),
        ("", WAV),
        ("multipart/form-data", b"--b\r\n\r\n--b--"),
        (FORM, b"no boundary here"),
        (FORM, HEAD + b"RIFF"),
        ("multipart/form-data; boundary=\xff", b"--\xff--"),
        # A form in all but its type, which RFC 7578 names.
        ("multipart/mixed; boundary=b", HEAD + WAV + b"\r\n--b--\r\n"),
        ("multipart/form-data-too; boundary=b", HEAD + WAV + b"\r\n--b--\r\n"),
        (FORM, gzip.compress(HEAD + WAV + b"\r\n--b--\r\n")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_no_form_is_refused(client, openai, content_type, body):
    """JSON, a bare file and broken multipart are told apart from an empty form, and one another."""
    response = client.post(PATH, data=body, headers={**MAIN, "Content-Type": content_type})
    [error] = check(response, 400, "request_malformed")["errors"]
    is_form = content_type.startswith("multipart/form-data; boundary=")
    assert "Content-Type" in error["message"]
    assert ("broken or compressed" in error["message"]) == is_form
    assert not openai.called


def test_a_request_larger_than_any_allowed_is_refused_unread(client):
    """Content-Length is enough to say no."""
    length = {"CONTENT_LENGTH": "28000000"}
    headers = {**MAIN, "Content-Type": FORM}
    response = client.post(PATH, headers=headers, environ_overrides=length)
    check(response, 400, "audio_too_large")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "BREW"])
@pytest.mark.parametrize("path", ["/api/conversation", "/api/conversation/"])
def test_other_methods_are_not_allowed(client, path, method):
    """405 keeps the six keys, and says what is allowed."""
    response = client.open(path, method=method)
    assert response.headers["Allow"] == "OPTIONS, POST"
    if method == "HEAD":
        assert response.status_code == 405
    else:
        check(response, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "not JSON"},
        {"content": b"\xff"},
        {"json": []},
        {"json": {"choices": []}},
        {"json": {"text": 7, "choices": [{"message": {"content": None}}]}},
        {"json": {"text": [], "choices": [{"message": {"content": [["Hi."]], "refusal": 7}}]}},
        {"json": {"text": {}, "choices": [{"finish_reason": "stop", "message": {"content": " "}}]}},
        {"json": {"text": "Hi.", "choices": [{"message": {"content": "Hi."}}], "x": [[]] * 60_000}},
        {"text": '{"text": ' + "[" * 40_000},
        {"text": '{"text": "' + "x" * 1_000_000 + '"}'},
    ],
    ids=lambda answer: str(answer)[:40],
)
@pytest.mark.parametrize(("stage", "url"), [("stt", STT), ("text", TEXT)])
def test_an_answer_that_cannot_be_read_is_malformed(client, openai, stage, url, answer):
    """Nor are many containers parsed, in which nobody else is served; the answer is named."""
    openai.post(url, **answer, headers={"x-request-id": "up-1"})
    status = 500 if stage == "stt" else 206
    [error] = check(post(client, audio=WAV), status, "upstream_malformed", stage)["errors"]
    assert (error["upstream_status"], error["upstream_request_id"]) == (200, "up-1")


@pytest.mark.parametrize(("stage", "url"), [("stt", STT), ("text", TEXT), ("tts", TTS)])
def test_a_failure_of_our_own_leaves_what_there_was(client, openai, logged, stage, url):
    """It is `internal_error`, whose text, which may hold a key, stays out of the log."""
    openai.post(url, exc=ZeroDivisionError("sk-secret"))
    body = check(post(client, audio=WAV), 500 if stage == "stt" else 206, "internal_error", stage)
    assert bool(body["transcript"]) is (stage != "stt")
    assert bool(body["text_response"]) is (stage == "tts")
    assert body["models_used"] == DEFAULTS
    assert f"stage={stage} kind=ZeroDivisionError" in logged.text
    assert "sk-secret" not in logged.text


@pytest.mark.parametrize(
    ("speech", "reply"),
    [
        ({"status_code": 500}, "It is"),
        ({"exc": ZeroDivisionError}, "It is"),
        ({"content": b"ID3 speech"}, "It is. " * 1000),
    ],
    ids=["unavailable", "ours", "truncated"],
)
def test_where_more_fails_the_unfinished_reply_stands(client, openai, speech, reply):
    """The first failure is the one that is told, whatever befalls the speech."""
    choice = {"message": {"content": reply}, "finish_reason": "length"}
    openai.post(TEXT, json={"choices": [choice]}, headers={"x-request-id": "req_7"})
    openai.post(TTS, **speech)
    body = check(post(client, audio=WAV), 206, "text_incomplete", "text")
    assert body["errors"][0]["upstream_request_id"] == "req_7"
    assert bool(body["audio"]) is ("content" in speech)


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        ("This sentence is of forty characters, yes. " * 100, "yes."),
        ("It is exactly noon now. " + "It goes on, and " * 300, "noon now."),
        ("It goes on and " * 300, ("It", "goes", "on", "and")),
        ("tick" * 1200, ""),
    ],
    ids=["sentences", "one that is too long", "words", "a word"],
)
def test_a_long_reply_is_spoken_up_to_a_sentences_end(client, openai, reply, end):
    """Else up to a word's end. Half a surrogate pair, which no text can hold, becomes a mark."""
    openai.post(TEXT, text=r'{"choices": [{"message": {"content": "\ud800' + reply + '"}}]}')
    body = check(post(client, audio=WAV), 206, "text_truncated", "tts")
    spoken = openai.request_history[2].json()["input"]
    assert body["text_response"][1:] == reply.strip()
    assert body["audio"]
    assert 0 < len(spoken) <= 4096
    assert reply.replace(" ", "").startswith(spoken[1:].replace(" ", ""))
    assert spoken.endswith(end)


def test_what_the_upstream_says_of_itself_is_passed_on(client, openai):
    """Its status, its id, its reason in one line, and how long to wait, in seconds rounded up."""
    headers = {"Retry-After": "40.2", "x-request-id": "req_123"}
    error = {"error": {"message": "Your project\n is busy.", "type": "t"}}
    openai.post(STT, status_code=429, json=error, headers=headers)
    project = {"X-OpenAI-API-Key": "sk-proj-Zq8vX3mK7pT2wR9yL4nB6cD1"}
    response = converse(client, project)
    [error] = check(response, 500, "rate_limited", "stt")["errors"]
    told = error["upstream_status"], error["upstream_request_id"], error["retry_after"]
    assert told == (429, "req_123", 41)
    assert error["message"].endswith("saying: Your project is busy.")
    assert response.headers["Retry-After"] == "41"
