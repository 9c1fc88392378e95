"""Requests that cannot be used: each code and status, and nothing is sent to the upstream."""

from io import BytesIO

import pytest
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import DEFAULTS, check, post


class TestRefused:
    """The request cannot be used, and nothing is sent to the upstream."""

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-OpenAI-API-Key": "  "},
            {"Authorization": "Basic dXNlcjpwYXNz"},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer  "},
            {"X-OpenAI-API-Key": "sk-“quoted”".encode().decode("latin-1")},
            {"X-OpenAI-API-Key": "sk-tab\there"},
        ],
    )
    def test_a_request_without_a_usable_key_is_refused(self, client, openai, headers):
        """No key, a blank one, another scheme, or characters that cannot be sent on: 401."""
        form = {"audio": (BytesIO(wav()), "a.wav")}
        response = client.post("/api/conversation/", data=form, headers=headers)
        check(response, 401, "api_key_missing")
        assert not openai.called

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({}, "audio_missing"),
            ({"stt_model": "whisper-1"}, "audio_missing"),
            ({"other": b"file"}, "audio_missing"),
            ({"audio": "text", "other": b"file"}, "audio_missing"),
            ({"audio": "x" * 194_000}, "audio_missing"),
            ({"audio": "x" * 20_000_000, "voice": "nova"}, "audio_missing"),
            ({"audio": ["x", wav()]}, "request_malformed"),
            ({"audio": b""}, "audio_empty"),
            ({"audio": wav() + bytes(26_214_400)}, "audio_too_large"),
            ({"audio": b"\x89PNG\r\n\x1a\n" + bytes(100)}, "audio_unsupported"),
            ({"audio": b"RIFF"}, "audio_unsupported"),
            ({"audio": wav(), "stt_model": "x" * 201}, "option_invalid"),
            ({"audio": wav(), "text_model": "a\x00b"}, "option_invalid"),
            ({"audio": wav(), "tts_model": b"two\nlines"}, "option_invalid"),
            ({"audio": wav(), "language": b"english"}, "option_invalid"),
            ({"audio": wav(), "system_prompt": b"x" * 8001}, "option_invalid"),
            ({"audio": wav(), "system_prompt": b"x" * 131_073}, "request_malformed"),
            ({"audio": wav(), **{f"f{n}": "x" for n in range(40)}}, "request_malformed"),
            ({"audio": wav(), "note": "x" * 600_000}, "request_malformed"),
            ({"audio": wav(), "a": "x" * 100_000, "b": "x" * 100_000}, "request_malformed"),
            ({"audio": wav(), "history": "x" * 900_000}, "option_invalid"),
            ({"audio": wav(), "stt_model": ["a", "b"]}, "request_malformed"),
        ],
        ids=lambda value: value if isinstance(value, str) else "+".join(value)[:40] or "nothing",
    )
    def test_a_form_that_cannot_be_used_is_refused(self, client, openai, fields, code):
        """Each kind of bad form has its code."""
        check(post(client, **fields), 400, code)
        assert not openai.called

    def test_an_invalid_option_is_named(self, client, openai):
        """The message says which field to mend, and the good options still count."""
        response = post(client, audio=wav(), tts_model="x" * 999, stt_model="gpt-transcribe")
        answer = check(response, 400, "option_invalid")
        assert "'tts_model'" in answer["errors"][0]["message"]
        assert answer["models_used"] == {**DEFAULTS, "stt": "gpt-transcribe"}

    def test_a_file_sent_twice_is_refused(self, client, openai):
        """Which of two recordings is meant cannot be told."""
        check(post(client, audio=[wav(), wav()]), 400, "request_malformed")

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b'{"audio": "x"}'),
            ("application/x-www-form-urlencoded", b"audio=x"),
            ("audio/wav", wav()),
            ("", wav()),
            ("multipart/form-data", b"--b\r\n\r\n--b--"),
            ("multipart/form-data; boundary=b", b"no boundary here"),
            ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=a"),
            (
                "multipart/form-data; boundary=b",
                b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\nRIFF',
            ),
            ("multipart/form-data; boundary=\xff", b"--\xff--"),
            # A form in all but its type, which RFC 7578 names.
            (
                "multipart/mixed; boundary=b",
                b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
                + wav()
                + b"\r\n--b--\r\n",
            ),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_a_body_that_is_no_form_is_refused(self, client, openai, content_type, body):
        """JSON, a bare file and broken multipart are told apart from an empty form."""
        headers = {"X-OpenAI-API-Key": KEY, "Content-Type": content_type}
        response = client.post("/api/conversation/", data=body, headers=headers)
        check(response, 400, "request_malformed")
        assert not openai.called

    def test_a_request_larger_than_any_allowed_is_refused_unread(self, client, openai):
        """Content-Length is enough to say no."""
        headers = {
            "X-OpenAI-API-Key": KEY,
            "Content-Type": "multipart/form-data; boundary=b",
        }
        length = {"CONTENT_LENGTH": "28000000"}
        response = client.post("/api/conversation/", headers=headers, environ_overrides=length)
        check(response, 400, "audio_too_large")

    def test_the_key_is_checked_before_the_body(self, client, openai):
        """A request that is wrong in every way is told of its key first."""
        response = client.post("/api/conversation/", data=b"{", content_type="application/json")
        check(response, 401, "api_key_missing")

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "BREW"])
    @pytest.mark.parametrize("path", ["/api/conversation", "/api/conversation/"])
    def test_other_methods_are_not_allowed(self, client, path, method):
        """405 keeps the six keys, and says what is allowed."""
        response = client.open(path, method=method)
        assert response.headers["Allow"] == "OPTIONS, POST"
        if method == "HEAD":
            assert response.status_code == 405
        else:
            check(response, 405, "method_not_allowed")


class TestBaseUrl:
    def test_a_base_url_of_the_callers_is_called(self, openai):
        """An allowed host is called instead of the service's own, with or without a slash."""
        client = make_app(PARLEY_ALLOWED_BASE_URLS="http://10.1.2.3:9000/api").test_client()
        openai.post("http://10.1.2.3:9000/api/v1/audio/transcriptions", json={"text": ""})
        for url in ("http://10.1.2.3:9000/api/v1", "http://10.1.2.3:9000/api/v1/"):
            headers = {"X-OpenAI-API-Key": KEY, "X-OpenAI-Base-URL": url}
            form = {"audio": (BytesIO(wav()), "a.wav")}
            response = client.post("/api/conversation/", data=form, headers=headers)
            check(response, 206, "no_speech", "stt")

    def test_a_base_url_that_is_not_allowed_is_refused(self, client, openai):
        """Nothing is sent to a host that the operator did not allow."""
        headers = {"X-OpenAI-API-Key": KEY, "X-OpenAI-Base-URL": "http://169.254.169.254/v1"}
        check(client.post("/api/conversation/", headers=headers), 400, "base_url_refused")
        assert not openai.called
