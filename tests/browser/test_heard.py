"""What counts as heard, and when: where the connection breaks, or no loudspeaker plays."""

import base64
import json
import re

import pytest
from browser.speaking_upstream import REPLY, SENTENCES, speak, tone, write
from browser.tab import run
from browser.test_true_sentences import UNSPOKEN
from playwright.sync_api import expect

pytestmark = pytest.mark.system
WITHOUT_LOUDSPEAKER = """const { resume } = AudioContext.prototype;
AudioContext.prototype.resume = function () {
  return window.loudspeaker ? resume.call(this) : this.suspend().then(() => new Promise(() => {}));
};"""


def cut_off(delta):
    """Has the connection break amid the second segment's speech, and so before anything is over."""
    data = base64.b64encode(tone(0.4)).decode()
    spoken = [("segment", {"text": text, "voice": "v", "began": 2}) for text in SENTENCES]
    pieces = [("audio", {"data": data, "last": last}) for last in (True, False)]
    events = [("transcript", {"text": "Where?"}), ("text", {"delta": delta}), spoken[0], pieces[0]]
    body = "".join(
        f"event: {name}\ndata: {json.dumps({'at': 2, **data})}\n\n"
        for name, data in [*events, spoken[1], pieces[1]]
    )
    return lambda route: route.fulfill(content_type="text/event-stream", body=body)


@pytest.mark.parametrize(("delta", "shown"), [(REPLY, ""), (f"{REPLY} In", " In…")])
def test_a_connection_that_is_cut_amid_the_voice(tab, delta, shown):
    """What was not spoken is not shown as heard; nobody knows whether more was to come."""
    tab.page.route("**/api/conversation/", cut_off(delta))
    tab.send(fails="The connection was cut")
    told = "It broke off here; more of it may have been to come."
    expect(tab.page.locator(".missed")).to_have_text(told)
    expect(tab.page.locator(".stopped")).to_have_text(UNSPOKEN)
    expect(tab.page.locator(".unheard")).to_have_text(re.compile(rf"Seine\.{shown}$"))
    picture = tab.page.get_by_role("img", name="speech came until")
    expect(picture).to_have_accessible_name(re.compile("words came until"))


def test_a_reply_that_no_loudspeaker_played(visit, serve, upstream):
    """None of it counts as heard, nor does it sound again; once it does, that is told no more."""
    tab = visit(serve().url, script=WITHOUT_LOUDSPEAKER)
    tab.click("h1")
    upstream.answers["tts"] = speak(4)
    tab.send(fails="No sound can be played")
    tab.button("Hear again").click()
    tab.expect_failure("No sound can be played")
    assert not tab.has_shown("Speaking")
    expect(tab.page.locator(".heard:not(:empty)")).to_have_count(0)
    expect(tab.page.locator(".timing")).not_to_contain_text("first sound")
    expect(tab.page.locator(".stopped")).to_have_text("None of it was heard.")
    tab.run("window.loudspeaker = true")
    tab.button("Hear again").click()
    tab.expect_state("Speaking")
    expect(tab.page.locator(".turn")).to_contain_text("heard again now")
    expect(tab.page.locator(".stopped")).to_have_count(0)
    expect(tab.page.locator(".heard").first).to_contain_text("Paris is")
    tab.stop()
    expect(tab.page.locator(".turn")).not_to_contain_text("heard again now")
    expect(tab.page.locator(".stopped")).to_contain_text("The voice stopped here")


HAPPENED = [
    (1100, "transcript", {"at": 100}),
    (1900, "text", {"at": 900}),
    (2700, "segment", {"at": 1700, "began": 900}),
    (2700, "audio", {"at": 1700, "data": "AAAA"}),
    (2800, "sound", {}),
]
FIRST_SOUND = "2.8 s from sending to the first sound"
CAME = "words came until 1.9 s, first sound after 2.8 s, speech came until 2.7 s."


@pytest.mark.parametrize(
    ("happened", "figure", "told"),
    [
        (
            [*HAPPENED[:4], (9, "done", {})],
            "1.9 s from sending to its last word",
            "all of its spee",
        ),
        (HAPPENED[:4], "1.9 s from sending to the last word that came", "speech came until 2.7 s."),
        (HAPPENED, FIRST_SOUND, CAME),
        ([*HAPPENED, (9, "done", {"failure": {}})], FIRST_SOUND, CAME),
        (
            [*HAPPENED, (9, "done", {"failure": {"ofSpeech": True}})],
            FIRST_SOUND,
            CAME.replace("words came until", "reply written after"),
        ),
        (
            [*HAPPENED, (9, "done", {"failure": {"endsText": True}})],
            FIRST_SOUND,
            CAME.replace("speech came until", "all of its speech after"),
        ),
    ],
)
def test_the_times_of_a_turn_tell_what_has_happened(page, happened, figure, told):
    """By the clock of who waits; that all of something came is told once that is known."""
    script = """let now = 0;
    const timing = new it.Timing(() => now);
    for (const [at, name, data] of argument) {
      now = at;
      if (name === "sound") timing.begin();
      else timing.add({ name, data });
    }
    const { legend } = timing;
    return [`${legend.figure} ${legend.meaning}`, timing.description];"""
    shown, description = run(page, "timing", script, happened)
    assert shown == figure
    assert told in description


def test_a_voice_that_is_stopped_before_a_word_was_heard(tab, upstream):
    """Its turn says when the last word came, and nothing of a first sound."""
    upstream.answers.update(text=write(["Incomprehensibilities."]), tts=speak(6))
    tab.send(until="Speaking")
    tab.stop()
    expect(tab.page.locator(".stopped")).to_have_text("None of it was heard.")
    expect(tab.page.locator(".timing")).to_contain_text(re.compile("from sending to .*last word"))
    expect(tab.page.get_by_role("img", name="first sound")).to_have_count(0)
    assert "assistant" not in tab.saved("As JSON")
    tab.button("Hear again").click()
    tab.expect_state("Speaking")
    tab.expect_rest()  # From now on the model is told of it.
    assert json.loads(tab.saved("As JSON"))[1]["content"] == "Incomprehensibilities."
