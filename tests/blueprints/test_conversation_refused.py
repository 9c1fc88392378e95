"""Requests that cannot be used: each code and status, and nothing is sent to the upstream."""

import pytest
from testing.builders import wav
from testing.conversation_forms import MAIN, PATH, check, converse, post

WAV = wav()
HEAD = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
FORM = "multipart/form-data; boundary=b"
NO_KEY = [{}, {"X-OpenAI-API-Key": "  "}, {"Authorization": "Basic dXNlcjpwYXNz"}]
NO_KEY += [{"Authorization": "Bearer"}, {"Authorization": "Bearer  "}]


@pytest.mark.parametrize("headers", NO_KEY)
def test_a_request_without_a_key_is_refused(client, openai, headers):
    check(converse(client, headers), 401, "api_key_missing")
    assert not openai.called


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "audio_missing"),
        ({"stt_model": "whisper-1"}, "audio_missing"),
        ({"other": b"file"}, "audio_missing"),
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
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value)[:40] or "nothing",
)
def test_a_form_that_cannot_be_used_is_refused(client, openai, fields, code):
    check(post(client, **fields), 400, code)
    assert not openai.called


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"audio": "x"}'),
        ("application/x-www-form-urlencoded", b"audio=x"),
        ("audio/wav", WAV),
        ("", WAV),
        ("multipart/form-data", b"--b\r\n\r\n--b--"),
        (FORM, b"no boundary here"),
        (FORM, b"--b\r\nContent-Disposition: form-data; name=a"),
        (FORM, HEAD + b"RIFF"),
        ("multipart/form-data; boundary=\xff", b"--\xff--"),
        # A form in all but its type, which RFC 7578 names.
        ("multipart/mixed; boundary=b", HEAD + WAV + b"\r\n--b--\r\n"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_no_form_is_refused(client, openai, content_type, body):
    """JSON, a bare file and broken multipart are told apart from an empty form."""
    response = client.post(PATH, data=body, headers={**MAIN, "Content-Type": content_type})
    check(response, 400, "request_malformed")
    assert not openai.called


def test_a_request_larger_than_any_allowed_is_refused_unread(client, openai):
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
