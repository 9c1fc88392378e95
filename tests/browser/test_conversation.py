"""A conversation goes on: what the model is told of it, and what is seen."""

import json
import re
import threading

import pytest
import requests
from browser.speaking_upstream import (
    QUESTION,
    REPLY,
    SENTENCES,
    hold_back,
    prepare,
    refuse,
    speak,
    told,
    write,
)
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT, soon

pytestmark = pytest.mark.system
SHORTENED = "its oldest turns are no longer sent"


def test_a_conversation_goes_on_until_it_is_cleared(talked, upstream):
    """Each turn tells the model of those before it; Clear forgets them."""
    times, pictures = (talked.page.locator(f".timing{inner}") for inner in ("", " svg"))
    expect(pictures.nth(0)).to_be_hidden()  # Older turns fold their times into one figure.
    expect(pictures.nth(1)).to_be_visible()
    expect(times.nth(0)).to_contain_text(re.compile(r"\d s"))
    times.nth(0).locator("summary").click()
    expect(pictures.nth(0)).to_be_visible()
    clear = talked.button("Clear")
    undo = talked.button("Undo")
    clear.focus()
    talked.page.keyboard.press("Enter")
    expect(talked.said).to_have_count(0)
    expect(talked.page.get_by_role("heading", name="Say something.")).to_be_visible()
    expect(undo).to_be_focused()
    expect(talked.page.get_by_text("it can come back until the next question")).to_be_visible()
    talked.page.keyboard.press("Enter")
    expect(undo).to_be_hidden()
    expect(talked.talk).to_be_focused()
    first = talked.page.locator(".turn").first
    expect(first.locator("summary")).to_have_text(
        re.compile(r"\d s from sending to the first sound$")
    )
    first.get_by_role("button", name="Hear again").click()
    talked.expect_state("Speaking")
    talked.expect_turn(2)
    expect(first).not_to_contain_text("heard again")
    talked.ask(3)
    clear.click()
    talked.ask(1)
    said, replied = ("user", TRANSCRIPT), ("assistant", REPLY)
    turns = [[said], [said, replied, said], [said, replied, said, replied, said]]
    assert told(upstream) == [*turns, [said]]
    clear.click()
    undo.click()
    expect(talked.said).to_have_count(1)


def test_a_conversation_can_be_taken_along(talked, serve, upstream):
    """As text, and as JSON that the service takes as `history`; or one turn as text."""
    turn = f"You: {TRANSCRIPT}\nReply: {REPLY}\n"
    assert talked.saved("As text") == f"{turn}\n{turn}"
    form = {"history": talked.saved("As JSON")}
    upstream.answers["text"] = write()
    with QUESTION.open("rb") as file:
        answer = requests.post(
            f"{talked.origin}/api/conversation/", data=form, files={"audio": file}, timeout=30
        )
    assert answer.json()["models_used"]["text"]
    turns = [("user", TRANSCRIPT), ("assistant", REPLY)]
    assert told(upstream)[-1] == [*turns, *turns, ("user", TRANSCRIPT)]
    talked.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    talked.button("Copy").last.click()
    talked.expect_state("Copied", ".turn button")
    assert talked.page.evaluate("navigator.clipboard.readText()") == turn
    upstream.answers["tts"] = speak(20)
    talked.send()
    expect(talked.page.locator(".turn:last-child .heard").first).to_contain_text("Paris")
    talked.press("Escape")
    assert re.search(r"Reply: Paris.* \[stopped here; not heard:\] .", talked.saved("As text"))


def test_the_reply_is_seen_while_it_is_written(tab, upstream):
    """The transcript first, then word by word."""
    upstream.answers["text"], go = hold_back(write())
    tab.send()
    expect(tab.said).to_have_text(TRANSCRIPT)
    expect(tab.replies).to_be_hidden()
    pause = threading.Event()
    upstream.answers["text"] = write(pause=lambda _: pause.wait(30))
    go.set()
    tab.expect_turn(1)
    tab.send()
    expect(tab.replies.nth(1)).to_have_text(SENTENCES[0].strip())
    pause.set()
    expect(tab.replies.nth(1)).to_have_text(REPLY)
    tab.expect_turn(2)


def test_a_picture_shows_the_time_of_each_turn(tab, upstream):
    """Stages and segments as bars, those side by side that ran so; in words for who cannot see."""
    # The voice takes longer than the model's next sentence.
    prepare(upstream, pause=0.5).answers["tts"] = speak(after=1.5)
    tab.send()
    picture = tab.page.get_by_role("img", name="all of its 2 segments after")
    expect(picture).to_be_visible()
    tab.expect_turn(1)
    bars = {}
    for kind, count in {"hear": 1, "think": 1, "speak": 2}.items():
        expect(picture.locator(f".{kind}")).to_have_count(count)
        bars[kind] = [bar.bounding_box() for bar in picture.locator(f".{kind}").all()]
    first, second = bars["speak"]
    assert second["x"] < first["x"] + first["width"]  # At the same time,
    assert second["y"] > first["y"] + first["height"]  # and so in a row of its own.
    [heard], [thought] = bars["hear"], bars["think"]
    # One begins where the other ends, which is seen as a sliver at least.
    assert heard["x"] <= thought["x"] <= heard["x"] + heard["width"] + 2
    assert thought["y"] >= heard["y"] + heard["height"]
    # It was asked for when the second sentence came, which here is all that was still written.
    assert first["x"] <= thought["x"] + thought["width"] + 1
    times = tab.page.locator(".timing")
    for words in ("hearing", "thinking", "making speech", "to the first sound"):
        expect(times).to_contain_text(words)
    assert "0.0 s" not in times.inner_text()
    seconds = re.compile(r"([\d.]+) s")
    # Each took 1.5 s, the second half a second behind the first: all of it is told at the end.
    assert float(seconds.findall(times.locator(".legend .speak").inner_text())[0]) > 1.7


def test_a_conversation_that_grew_too_long_loses_its_oldest_turns_and_says_so(tab, upstream):
    """By the service's bounds: 256 KB of history."""
    upstream.answers["tts"] = speak(0.01)
    # Code is not spoken, which would take long.
    upstream.answers["text"] = write([f"Look:\n\n```\n{'a' * 90_000}\n```\n"])
    for turn in (1, 2, 3, 4):
        tab.ask(turn)
    expect(tab.page.get_by_text(SHORTENED)).to_be_visible()
    assert len(told(upstream)[-1]) < 7


@pytest.mark.parametrize("status", ["400 Bad Request", "413 Content Too Large"])
def test_a_model_that_takes_less_than_the_service(talked, upstream, status):
    """The older half is dropped and said, whatever words the upstream has for it."""

    def small(connection, request):
        answer = refuse(status) if len(told(upstream)[-1]) > 3 else write()
        return answer(connection, request)

    upstream.answers["text"] = small
    talked.send()
    expect(talked.replies.nth(2)).to_have_text(REPLY)
    talked.expect_turn(3)
    expect(talked.page.get_by_text(SHORTENED)).to_be_visible()
    assert [len(turns) for turns in told(upstream)] == [1, 3, 5, 3]


@pytest.mark.parametrize(("status", "told_of"), [("400 Bad Request", [5, 3, 1]), ("404 No", [5])])
def test_a_refusal_that_dropping_turns_does_not_mend(talked, upstream, status, told_of):
    """It is told as what it is, and the conversation stays as it was."""
    upstream.answers["text"] = refuse(status, "No.")
    talked.send(fails='Reply: The AI service refused the request, saying: "No."')
    expect(talked.page.get_by_text(SHORTENED)).to_be_hidden()
    assert [len(turns) for turns in told(upstream)[2:]] == told_of
    upstream.answers["text"] = write()
    talked.send(until="Speaking")
    talked.expect_state("Ready")
    said, replied = ("user", TRANSCRIPT), ("assistant", REPLY)
    assert told(upstream)[-1] == [*([said, replied] * 2), said, ("assistant", "…"), said]


@pytest.mark.parametrize(("interrupt", "turns", "told_of"), [("Clear", 1, 1), ("Talk anew", 4, 7)])
def test_an_interruption_while_it_is_shortened(talked, upstream, interrupt, turns, told_of):
    """What is cleared stays cleared; in a conversation that goes on no turn is lost unsaid."""
    held, go = hold_back(write())

    def small(connection, request):
        answer = refuse("400 Bad Request") if len(told(upstream)) == 3 else held
        return answer(connection, request)

    upstream.answers["text"] = small
    talked.send()
    assert soon(lambda: len(told(upstream)) >= 4, 30)
    talked.button(interrupt).click()
    talked.stop()
    go.set()
    talked.ask(turns)
    assert [len(turns) for turns in told(upstream)] == [1, 3, 5, 3, told_of]


def test_a_reply_of_which_nothing_was_heard_is_not_told(tab, upstream):
    """What was said is; an ellipsis stands for the reply, since models take turns."""
    upstream.answers["tts"], go = hold_back(speak())
    tab.send()
    expect(tab.replies).to_have_text(REPLY)
    tab.stop()
    expect(tab.page.locator(".stopped")).to_have_text("None of it was heard.")
    go.set()
    upstream.answers["tts"] = speak(0.2)
    tab.ask(2)
    said = ("user", TRANSCRIPT)
    assert told(upstream)[1] == [said, ("assistant", "…"), said]
    both, reply = json.loads(tab.saved("As JSON"))  # Nothing that was said is lost.
    assert both == {"role": "user", "content": f"{TRANSCRIPT}\n{TRANSCRIPT}"}
    assert reply == {"role": "assistant", "content": REPLY}
    spoken = [json.loads(request.body) for request in upstream.requests if request.stage == "tts"]
    assert {request["response_format"] for request in spoken} == {"pcm"}


def test_the_words_turn_dark_as_they_are_heard(tab, upstream):
    """What is written ahead of the voice is seen to be."""
    upstream.answers["tts"] = speak(4)
    tab.send()
    expect(tab.page.locator(".heard").first).to_contain_text("Paris is")
    expect(tab.page.locator(".ahead")).to_contain_text("river Seine")
    tab.press("Escape")
    expect(tab.page.locator(".stopped")).to_contain_text("The voice stopped here")
    heard = tab.page.locator(".heard").first.inner_text()
    # They do so again, and what was heard once was heard.
    for stops, kept in ((True, heard), (False, REPLY), (True, REPLY)):
        tab.button("Hear again").click()
        tab.expect_state("Speaking")
        expect(tab.page.locator(".stopped")).to_have_count(0)
        expect(tab.page.locator(".ahead").first).to_contain_text("everyone says")
        if stops:
            tab.press("Escape")
        tab.expect_state("Ready")
        expect(tab.page.locator(".heard").first).to_have_text(kept)
    expect(tab.page.locator(".stopped")).to_have_count(0)
    expect(tab.replies).to_have_text(REPLY)
