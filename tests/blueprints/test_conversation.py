"""POST /api/conversation/ keeps its contract where it works, and so does the rest of the app."""

import base64

import pytest
from testing.builders import KEY, make_app, wav
from testing.conversation_forms import DEFAULTS, STT, TEXT, TTS, check, converse, post

NO_KEYS = [{}, {"X-OpenAI-API-Key": " "}, {"Authorization": "Basic a"}]


@pytest.mark.parametrize("path", ["/api/conversation", "/api/conversation/"])
def test_a_conversation_returns_what_was_heard_said_and_spoken(client, openai, path):
    """With fields that are not known, and without the closing slash."""
    response = post(client, path, audio=wav(), mood="cheerful", extra=b"file")
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
    ],
)
def test_the_three_calls_carry_the_callers_key(openai, headers, required, sent):
    """From either header, whichever scheme is written; none where none is sent nor needed."""
    client = make_app(PARLEY_KEY_REQUIRED=required).test_client()
    check(converse(client, headers), 200, None)
    assert [call.headers.get("Authorization") for call in openai.request_history] == [sent] * 3


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/no", 404), ("POST", "/healthz", 405)]
)
def test_the_rest_of_the_app_answers_in_the_same_shape(client, method, path, status):
    """With two keys, and the error objects of every other answer."""
    response = client.open(path, method=method)
    assert (response.status_code, list(response.json)) == (status, ["success", "errors"])
    assert (
        response.json["errors"][0]["code"] == {404: "not_found", 405: "method_not_allowed"}[status]
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert ("GET" in response.headers.get("Allow", "")) is (status == 405)
