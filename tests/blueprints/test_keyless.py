"""PARLEY_KEY_REQUIRED=no: an upstream that asks for no key."""

from io import BytesIO

import pytest
from testing.builders import KEY, make_app, wav


def converse(headers=None, required="no"):
    client = make_app(PARLEY_KEY_REQUIRED=required).test_client()
    form = {"audio": (BytesIO(wav()), "question.wav")}
    return client.post("/api/conversation/", headers=headers, data=form)


@pytest.mark.parametrize("headers", [{}, {"X-OpenAI-API-Key": " "}, {"Authorization": "Basic a"}])
def test_without_a_key_no_authorization_goes_upstream(openai, headers):
    """A caller who sends none is answered, and the upstream sees none."""
    assert converse(headers).status_code == 200
    assert [request.headers.get("Authorization") for request in openai.request_history] == [
        None
    ] * 3


def test_a_key_that_is_sent_is_passed_on(openai):
    """Not needed is not refused."""
    assert converse({"X-OpenAI-API-Key": KEY}).status_code == 200
    assert {request.headers["Authorization"] for request in openai.request_history} == {
        f"Bearer {KEY}"
    }


def test_a_key_that_no_header_may_carry_is_refused_all_the_same(openai):
    """It was meant to be used, so leaving it out would hide the mistake."""
    answer = converse({"X-OpenAI-API-Key": "schlüssel"})
    assert answer.get_json()["errors"][0]["code"] == "api_key_missing"
    assert not openai.called


def test_unless_it_is_said_a_key_is_required(openai):
    """The default is the other way round."""
    assert converse(required="yes").status_code == 401
    assert not openai.called
