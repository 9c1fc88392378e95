"""What the page says is true at its moment: of replies that end early, of hosts, and of choices."""

import re

import pytest
from browser.speaking_upstream import (
    break_off,
    hear_nothing,
    hold_back,
    once,
    prepare,
    refuse,
    speak,
    write,
)
from playwright.sync_api import expect

pytestmark = pytest.mark.system
LIMITED = "The model ended it early, at a limit or a filter."
BROKEN = "The voice broke off amid the reply, which can be read to its end: ask again"
UNSPOKEN = "Its speech broke off here: the rest can only be read."


def test_a_reply_that_ends_early(tab, upstream):
    """A limit or a filter: it is told below what came, and as a failure where nothing did."""
    upstream.answers["text"] = write(["Paris is old."], reason="length")
    tab.send()
    expect(tab.page.get_by_text(LIMITED)).to_be_visible()
    expect(tab.replies).to_have_text("Paris is old. …")
    tab.expect_state("Ready")
    expect(tab.alert).to_be_empty()
    upstream.answers["text"] = write([""], reason="content_filter")
    tab.send(fails="Reply: The model ended its reply early, at a limit or a filter. Ask other")
    expect(tab.button("Try again")).to_be_visible()


def test_a_reply_with_nothing_to_speak(tab, upstream):
    """It says so, and tells of no speech."""
    upstream.answers["text"] = write(["😀🎉"])
    tab.send()
    expect(tab.page.get_by_text("Nothing in it can be spoken.")).to_be_visible()
    expect(tab.page.get_by_text("from sending to its last word")).to_be_visible()
    expect(tab.page.locator(".legend .speak")).to_be_hidden()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (refuse("400 No"), 'Text to speech: The AI service refused the request, saying: "No'),
        (break_off, BROKEN),
    ],
)
def test_speech_that_breaks_off(tab, upstream, failure, words):
    """That is said once, where it was, also in what is saved; another try asks again."""
    upstream.answers["tts"] = once(speak(0.4), failure)
    tab.send(fails=words)
    expect(tab.page.locator(".missed")).to_have_count(0)
    assert "[its speech broke off here; not heard:]" in tab.saved("As text")
    expect(tab.button("Ask again")).to_be_visible()
    for again in (True, False):
        expect(tab.page.locator(".unheard")).to_contain_text("on the river Seine.")
        expect(tab.page.locator(".stopped")).to_have_text(UNSPOKEN)
        if again:
            tab.button("Hear again").click()
            tab.expect_state("Speaking")
            tab.expect_rest()


@pytest.mark.parametrize(
    ("reason", "note"), [("length", LIMITED), (None, "It broke off here: its end never came.")]
)
def test_why_a_reply_ends_early_is_told_where_its_voice_was_stopped(tab, upstream, reason, note):
    """It stays to be read, and is in what is saved."""
    upstream.answers.update(text=write(["The City is old. The"], reason=reason), tts=speak(20))
    tab.send(until="Speaking")
    tab.wait_for("""return performance.getEntriesByType("resource")
      .some(({ name, responseEnd }) => responseEnd && name.endsWith("/api/conversation/"));""")
    tab.stop()
    expect(tab.page.locator(".unheard")).to_have_text(re.compile("The…$"))
    expect(tab.page.get_by_text(note)).to_be_visible()
    assert f"The…\n({note})\n" in tab.saved("As text")


@pytest.mark.parametrize("later", [0, 3])
@pytest.mark.parametrize(("so_far", "shown"), [("old. T", "old. T…"), ("old. ", "old. ")])
def test_a_reply_that_is_cancelled_while_it_is_written(tab, upstream, so_far, shown, later):
    """It says so, an ellipsis stands amid a sentence, and nothing claims its last word.

    However late: before the service has told all, nobody knows what is still to come.
    """
    upstream.answers["text"] = write(["The City is ", so_far, "he"], pause=1.5 + later)
    upstream.answers["tts"], _ = hold_back(speak())
    tab.send()
    expect(tab.replies).to_have_text(f"The City is {so_far}")
    tab.page.wait_for_timeout(1000 * later)
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator(".unheard")).to_have_text(f"The City is {shown}")
    expect(tab.page.get_by_text("to the last word that came")).to_be_visible()
    note = "(It was cancelled here; more of it may have been to come.)"
    assert f"The City is {shown.strip()}\n{note}" in tab.saved("As text")


@pytest.mark.parametrize(
    ("stage", "answer", "status"),
    [
        ("stt", refuse("429 No", "You exceeded your current quota."), "Another try may fail"),
        ("text", refuse("404 No", "The model does not exist."), "Another try may fail"),
        ("stt", refuse("429 No", "Try again in 300 s."), "The wait is not over"),
        ("stt", hear_nothing, "Ready"),
    ],
)
def test_what_failed_for_a_reason_that_lasts_is_not_forgotten(tab, upstream, stage, answer, status):
    """Not by Escape, nor by what was cancelled before its stage answered, which ends it."""
    upstream.answers[stage] = answer
    tab.send()
    tab.wait_for("return document.getElementById('alert').textContent")
    expect(tab.page.locator("#status")).to_have_text(status)
    upstream.answers[stage], _ = hold_back(answer)
    waits = "Waiting for the answer" if stage == "text" else "Waiting for the transcript"
    for gesture, until in ((None, ""), (tab.tap, "Listening"), (tab.send, waits)):
        if gesture:
            gesture(until=until)
        tab.press("Escape")
        expect(tab.alert).to_be_empty()
        expect(tab.page.locator("#status")).to_have_text(status)
    if stage == "stt":  # To have heard nothing is an answer of that stage.
        upstream.answers["stt"] = hear_nothing
        tab.send(fails="No speech was recognised")
        expect(tab.page.locator("#status")).to_have_text("Ready")
    prepare(upstream, 0.1).answers.pop("stt", None)
    tab.send(until="Speaking")
    expect(tab.page.locator("#status")).to_have_text("Ready")


def test_a_host_that_may_not_be_called(tab):
    """Settings open at its field, and once it is another nothing is told of it any more."""
    with tab.settings() as page:
        page.get_by_text("Advanced").click()
        page.get_by_label("Base URL").fill("https://192.168.0.10/v1")
    tab.send(fails="The service may not call this base URL: change it in Settings, under Ad")
    tab.button("Open Settings").click()
    url = tab.page.get_by_label("Base URL")
    expect(url).to_be_focused()
    url.fill("")
    tab.button("Done").click()
    expect(tab.status.filter(has_text="Settings were changed: try again.")).to_be_visible()


def test_tabs_share_what_is_remembered(tab):
    """What one has chosen is not taken back by another that was open before."""
    other = tab.other()
    other.load(tab.page.url)
    other.button("Settings").click()
    other.page.get_by_label("Voice").fill("nova")
    expect(tab.page.locator("#voice")).to_have_value("nova")
    tab.tell_first("Rhyme.")
    other.reload()
    expect(other.page.locator("#system_prompt")).to_have_value("Rhyme.")
    expect(other.page.locator("#voice")).to_have_value("nova")
    other.page.close()


def test_an_answer_that_nobody_expects(tab):
    """A router's own page says nothing that a user understands."""
    tab.page.route(
        "**/api/conversation/",
        lambda route: route.fulfill(status=503, headers={"Retry-After": "7"}, body="<h1>No</h1>"),
    )
    tab.send(fails="The service did not answer as expected: try again in a moment. Wait ")
