"""POST /api/conversation/ keeps its contract where it works, and so does the rest of the app."""

import base64
from io import BytesIO

import pytest
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import DEFAULTS, STT, TEXT, TTS, check, post


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
            forms.append(b"".join(request.body))
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
