"""What of a reply is spoken, and what is only text, in each representation."""

import json

import pytest
from testing.fake_streams import streams_chat, streams_speech
from testing.representations import REPRESENTATIONS, SOUND, bodies, post, told

MARKUP = "It is **Paris** 😀, see [the map](https://example.com/map)."
THOUGHT = "<think>France, so **Paris**.</think>\n\n"
pytestmark = pytest.mark.usefixtures("at_once")


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("reply", "text", "said"),
    [
        (MARKUP, MARKUP, "ItisParis,seethemap."),
        (f"{THOUGHT}It is Paris.", "It is Paris.", "ItisParis."),
    ],
    ids=["markup", "thoughts"],
)
def test_markup_is_text_and_not_said_and_thoughts_are_neither(upstream, accept, reply, text, said):
    """Stars, links and emoji are read; self-hosted models write thoughts before their reply."""
    upstream.answers |= {"text": streams_chat(reply=lambda body: reply), "tts": streams_speech()}
    answer = told(post(upstream, accept))
    assert (
        "".join(json.loads(sent)["input"] for sent in bodies(upstream, "tts")).replace(" ", "")
        == said
    )
    assert answer.reply == text


@REPRESENTATIONS
def test_a_reply_of_nothing_but_thoughts_is_blank(upstream, accept):
    """Such a reply is as useless as none: the upstream's answer could not be used."""
    upstream.answers["text"] = streams_chat(reply=lambda body: THOUGHT)
    answer = told(post(upstream, accept))
    assert (answer.stage, answer.code, answer.reply) == ("text", "upstream_malformed", "")


@REPRESENTATIONS
def test_where_nothing_is_left_to_say_the_sound_is_empty(upstream, accept):
    """A reply of emoji alone is whole: 200, its text, and no speech asked for."""
    upstream.answers["text"] = streams_chat(reply=lambda body: "😀 🎉")
    response = post(upstream, accept)
    assert response.mimetype == ("audio/mpeg" if accept == SOUND else accept)
    answer = told(response)
    assert (answer.status, answer.reply, answer.sound) == (200, "😀 🎉", b"")
    assert bodies(upstream, "tts") == []
