"""A reply beside its sound: how speech is asked for, and what of it is shown and told as heard."""

import json

import pytest
from browser.speaking_upstream import QUESTION, REPLY, hold_back, speak, told
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system


def test_speech_is_asked_for_as_pcm(tab, upstream):
    """Files of compressed sound begin and end with silence: joined, they have gaps."""
    tab.send(QUESTION)
    tab.expect_turn(1)
    spoken = [json.loads(request.body) for request in upstream.requests if request.stage == "tts"]
    assert {request["response_format"] for request in spoken} == {"pcm"}


def test_a_reply_of_which_nothing_was_heard_is_not_told(tab, upstream):
    """What was said is; an ellipsis stands for the reply, since models take turns."""
    upstream.answers["tts"], go = hold_back(speak())
    tab.send(QUESTION)
    expect(tab.replies).to_have_text(REPLY)
    tab.page.keyboard.press("Escape")
    tab.expect_state("Ready")
    go.set()
    upstream.answers["tts"] = speak(0.2)
    tab.send(QUESTION)
    tab.expect_turn(2)
    said = ("user", TRANSCRIPT)
    assert told(upstream)[1] == [said, ("assistant", "…"), said]


def test_the_words_turn_dark_as_they_are_heard(tab, upstream):
    """What is written ahead of the voice is seen to be."""
    upstream.answers["tts"] = speak(20)
    tab.send(QUESTION)
    expect(tab.page.locator(".heard")).to_contain_text("Paris is")
    expect(tab.page.locator(".ahead")).to_contain_text("river Seine")
    tab.page.keyboard.press("Escape")
