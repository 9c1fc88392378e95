"""What of a reply is spoken, and what is only text, in each representation."""

import json

import pytest
from testing.fake_streams import streams_chat, streams_speech
from testing.representations import JSON, REPRESENTATIONS, SOUND, STREAM, bodies, body, events, post

THOUGHT = "<think>France, so **Paris**.</think>\n\n"
pytestmark = pytest.mark.usefixtures("at_once")


@REPRESENTATIONS
def test_markup_is_read_but_not_said(upstream, accept):
    """Stars, links and emoji are in the text, and not in what is spoken."""
    reply = "It is **Paris** 😀, see [the map](https://example.com/map)."
    upstream.answers |= {"text": streams_chat(reply=lambda body: reply), "tts": streams_speech()}
    response = post(upstream, accept)
    said = " ".join(json.loads(sent)["input"] for sent in bodies(upstream, "tts"))
    assert "".join(said.split()) == "ItisParis,seethemap."
    if accept == JSON:
        assert response.json["text_response"] == reply
    elif accept == STREAM:
        assert "".join(event["delta"] for event in events(response, "text")) == reply


@REPRESENTATIONS
def test_thoughts_are_neither_text_nor_speech(upstream, accept):
    """Self-hosted models write them in front of what is meant for the caller."""
    reply = THOUGHT + "It is Paris."
    upstream.answers |= {"text": streams_chat(reply=lambda body: reply), "tts": streams_speech()}
    response = post(upstream, accept)
    assert body(upstream, "tts")["input"] == "It is Paris."
    if accept == JSON:
        assert response.json["text_response"] == "It is Paris."
    elif accept == STREAM:
        assert events(response, "done")[0]["text_response"] == "It is Paris."


@REPRESENTATIONS
def test_a_reply_of_nothing_but_thoughts_is_blank(upstream, accept):
    """Such a reply is as useless as none: the upstream's answer could not be used."""
    upstream.answers["text"] = streams_chat(reply=lambda body: THOUGHT)
    response = post(upstream, accept)
    answer = events(response, "done")[0] if accept == STREAM else response.json
    assert [(error["stage"], error["code"]) for error in answer["errors"]] == [
        ("text", "upstream_malformed")
    ]
    assert answer["text_response"] == ""


@REPRESENTATIONS
def test_where_nothing_is_left_to_say_the_sound_is_empty(upstream, accept):
    """A reply of emoji alone is whole: 200, its text, and no speech asked for."""
    upstream.answers["text"] = streams_chat(reply=lambda body: "😀 🎉")
    response = post(upstream, accept)
    assert response.status_code == 200
    assert bodies(upstream, "tts") == []
    if accept == SOUND:
        assert response.data == b""
        return
    answer = events(response, "done")[0] if accept == STREAM else response.json
    assert (answer["success"], answer["text_response"], answer["audio"]) == (True, "😀 🎉", "")
