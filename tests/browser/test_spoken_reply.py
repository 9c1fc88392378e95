"""A reply beside its sound: how speech is asked for, and what of it is shown and told as heard."""

import json

import pytest
from browser.speaking_upstream import QUESTION, REPLY, hold_back, speak, told
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system


def test_a_reply_of_which_nothing_was_heard_is_not_told(tab, upstream):
    """What was said is; an ellipsis stands for the reply, since models take turns.

    Speech is asked for as PCM: files of compressed sound have gaps where they are joined.
    """
    upstream.answers["tts"], go = hold_back(speak())
    tab.send(QUESTION)
    expect(tab.replies).to_have_text(REPLY)
    tab.page.keyboard.press("Escape")
    tab.expect_state("Ready")
    expect(tab.page.locator(".stopped")).to_have_text("None of it was heard.")
    go.set()
    upstream.answers["tts"] = speak(0.2)
    tab.send(QUESTION)
    tab.expect_turn(2)
    said = ("user", TRANSCRIPT)
    assert told(upstream)[1] == [said, ("assistant", "…"), said]
    spoken = [json.loads(request.body) for request in upstream.requests if request.stage == "tts"]
    assert {request["response_format"] for request in spoken} == {"pcm"}


def test_the_words_turn_dark_as_they_are_heard(tab, upstream):
    """What is written ahead of the voice is seen to be.

    A reply that is heard again to its end was not stopped: the note goes, and all of it is dark.
    """
    upstream.answers["tts"] = speak(4)
    tab.send(QUESTION)
    expect(tab.page.locator(".heard").first).to_contain_text("Paris is")
    expect(tab.page.locator(".ahead")).to_contain_text("river Seine")
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator(".stopped")).to_contain_text("The voice stopped here")
    tab.page.get_by_role("button", name="Hear again").click()
    tab.expect_state("Speaking")
    tab.expect_state("Ready")
    expect(tab.page.locator(".stopped")).to_have_count(0)
    expect(tab.page.locator(".heard").first).to_have_text(REPLY)
    expect(tab.replies).to_have_text(REPLY)
