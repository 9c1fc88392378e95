"""POST /api/conversation/ keeps its contract, status by status and code by code."""

import base64
from io import BytesIO

import pytest
import requests
from flask.testing import FlaskClient
from testing.builders import KEY, make_app, wav
from urllib3 import encode_multipart_formdata
from werkzeug.test import TestResponse

BASE = "https://api.openai.com/v1"
STT, TEXT, TTS = f"{BASE}/audio/transcriptions", f"{BASE}/chat/completions", f"{BASE}/audio/speech"
SIX_KEYS = ["transcript", "text_response", "audio", "models_used", "success", "errors"]
DEFAULTS = {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}


def post(client: FlaskClient, path: str = "/api/conversation/", **fields: object) -> TestResponse:
    """Send `fields` as a form: bytes become a file, and each item of a list a field."""
    form = [
        (name, ("blob", item) if isinstance(item, bytes) else item)
        for name, value in fields.items()
        for item in (value if isinstance(value, list) else [value])
    ]
    body, content_type = encode_multipart_formdata(form)
    headers = {"X-OpenAI-API-Key": KEY, "Content-Type": content_type}
    return client.post(path, data=body, headers=headers)


def check(
    response: TestResponse, status: int, code: str | None, stage: str = "request"
) -> dict[str, object]:
    """The six keys with their types, in order, and the headers that every answer has."""
    answer = response.get_json()
    assert list(answer) == SIX_KEYS
    assert [type(answer[key]) for key in SIX_KEYS] == [str, str, str, dict, bool, list]
    assert response.status_code == status
    assert answer["success"] is (status == 200)
    assert [(error["code"], error["stage"]) for error in answer["errors"]] == (
        [(code, stage)] if code else []
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) is (status == 401)
    assert KEY not in response.text
    return answer


class TestWorking:
    def test_a_conversation_returns_what_was_heard_said_and_spoken(self, client, openai):
        """Status 200 brings the transcript, the reply and the speech, and names the models."""
        answer = check(post(client, audio=wav()), 200, None)
        assert answer["transcript"] == "What time is it?"
        assert answer["text_response"] == "It is noon."
        assert base64.b64decode(answer["audio"]) == b"ID3 speech"
        assert answer["models_used"] == DEFAULTS

    @pytest.mark.parametrize("path", ["/api/conversation", "/api/conversation/"])
    def test_both_spellings_of_the_path_work(self, client, openai, path):
        """A caller who forgets the closing slash is answered, not redirected."""
        check(post(client, path, audio=wav()), 200, None)

    def test_the_three_calls_carry_the_callers_key(self, client, openai):
        """Each stage is one call, in order, under the key of the request."""
        post(client, audio=wav())
        assert [call.url for call in openai.request_history] == [STT, TEXT, TTS]
        assert {call.headers["Authorization"] for call in openai.request_history} == {
            f"Bearer {KEY}"
        }

    def test_bearer_authorization_is_a_key_too(self, client, openai):
        """OpenAI's own header works, whatever the case of its scheme."""
        form = {"audio": (BytesIO(wav()), "a.wav")}
        client.post("/api/conversation/", data=form, headers={"Authorization": f"bearer {KEY}"})
        assert openai.request_history[0].headers["Authorization"] == f"Bearer {KEY}"

    def test_the_parleys_header_wins_over_authorization(self, client, openai):
        """Where both headers are sent, X-OpenAI-API-Key counts."""
        form = {"audio": (BytesIO(wav()), "a.wav")}
        headers = {"X-OpenAI-API-Key": KEY, "Authorization": "Bearer other"}
        client.post("/api/conversation/", data=form, headers=headers)
        assert openai.request_history[0].headers["Authorization"] == f"Bearer {KEY}"

    def test_a_named_model_is_used_and_an_unknown_one_falls_back(self, client, openai):
        """`models_used` says which models really were used."""
        forms = []

        def hear(request, _):
            forms.append(request.body.read())
            return {"text": "What time is it?"}

        openai.post(STT, json=hear)
        response = post(client, audio=wav(), stt_model="gpt-transcribe", text_model="nonsense")
        assert check(response, 200, None)["models_used"] == {**DEFAULTS, "stt": "gpt-transcribe"}
        assert b"gpt-transcribe" in forms[0]
        assert openai.request_history[1].json()["model"] == "gpt-4o"

    def test_the_chat_model_is_told_to_speak_plainly(self, openai):
        """The system prompt is the operator's, and comes before the transcript."""
        post(make_app(PARLEY_SYSTEM_PROMPT="Be brief.").test_client(), audio=wav())
        assert openai.request_history[1].json()["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What time is it?"},
        ]

    def test_the_speech_is_mp3_in_the_voice_alloy(self, client, openai):
        """The third call asks for what the contract promises."""
        post(client, audio=wav())
        assert openai.request_history[2].json() == {
            "model": "tts-1",
            "input": "It is noon.",
            "voice": "alloy",
            "response_format": "mp3",
        }

    def test_fields_that_are_not_known_are_ignored(self, client, openai):
        """A form with more in it than the endpoint knows works."""
        check(post(client, audio=wav(), mood="cheerful", extra=b"file"), 200, None)


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
            ({"audio": b""}, "audio_empty"),
            ({"audio": wav() + bytes(26_214_400)}, "audio_too_large"),
            ({"audio": b"\x89PNG\r\n\x1a\n" + bytes(100)}, "audio_unsupported"),
            ({"audio": b"RIFF"}, "audio_unsupported"),
            ({"audio": wav(), "stt_model": "x" * 201}, "option_invalid"),
            ({"audio": wav(), "text_model": "a\x00b"}, "option_invalid"),
            ({"audio": wav(), "tts_model": b"file"}, "option_invalid"),
            ({"audio": wav(), **{f"f{n}": "x" for n in range(40)}}, "request_malformed"),
            ({"audio": wav(), "note": "x" * 600_000}, "request_malformed"),
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
    {"json": {"text": None, "choices": []}},
    {"json": {"text": 7, "choices": [{"message": {"content": None}}]}},
    {"json": {"text": [], "choices": [{"message": {"content": ["Hi."], "refusal": 7}}]}},
    {"json": {"text": {}, "choices": [{"finish_reason": "length", "message": {"content": " "}}]}},
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


class TestRestOfTheApp:
    def test_an_unknown_address_answers_in_the_same_shape(self, client):
        """404 in JSON, with the error objects of every other answer."""
        response = client.get("/nowhere")
        assert response.status_code == 404
        assert list(response.get_json()) == ["success", "errors"]
        assert response.get_json()["errors"][0]["code"] == "not_found"
        assert response.headers["Cache-Control"] == "no-store"

    def test_a_wrong_method_elsewhere_answers_in_the_same_shape(self, client):
        """405 outside the sections has two keys."""
        response = client.post("/healthz")
        assert response.status_code == 405
        assert list(response.get_json()) == ["success", "errors"]
        assert "GET" in response.headers["Allow"]

    def test_health_is_told(self, client):
        """A platform can ask whether the process is alive."""
        assert client.get("/healthz").get_json() == {"status": "ok"}
