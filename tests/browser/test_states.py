"""The table of states, walked through: each gesture leads from each state where it says."""

import pytest
from browser.speaking_upstream import QUESTION, hear, hold_back, speak, write
from browser.test_holding import SLOW
from playwright.sync_api import expect

pytestmark = pytest.mark.system
TABLE = "async () => (await import('/states.js')).STATES"
GESTURES = ["talk", "stop", "file", "replay"]


@pytest.fixture
def tab(visit, serve, upstream):
    """The page after a turn that can be heard again, with a microphone that opens when told."""
    tab = visit(serve().url, script=SLOW)
    upstream.answers["tts"] = speak(20)
    tab.send(QUESTION)
    tab.expect_state("Speaking")
    tab.page.keyboard.press("Escape")
    tab.expect_state("Ready")
    return tab


def bring(tab, upstream, state):
    """Bring the page into the state, and see that it stays where it goes from there."""
    upstream.answers.update(stt=hear, text=write(), tts=speak(20))
    match state:
        case "starting" | "listening":
            tab.tap()
            if state == "listening":
                tab.expect_state("Opening the microphone")
                tab.page.evaluate("window.allow()")
        case "hearing":
            upstream.answers["stt"], _ = hold_back(hear)
            tab.send(QUESTION)
        case "thinking":
            upstream.answers["text"], _ = hold_back(write())
            tab.send(QUESTION)
        case "speaking":
            tab.send(QUESTION)
    tab.expect_state(tab.page.evaluate(TABLE)[state]["status"])
    upstream.answers["stt"], _ = hold_back(hear)


def make(tab, gesture):
    """Do what a person would."""
    match gesture:
        case "talk":
            tab.tap()
        case "stop":
            tab.page.keyboard.press("Escape")
        case "file":
            tab.send(QUESTION)
        case "replay":
            # Though Playwright waits for a button that can be used.
            tab.page.get_by_role("button", name="Hear again").first.click(force=True)


@pytest.mark.parametrize(
    "state", ["idle", "starting", "listening", "hearing", "thinking", "speaking"]
)
def test_every_gesture_leads_where_the_table_says(tab, upstream, state):
    """And what it does not name changes nothing; what Talk does is its name."""
    table = tab.page.evaluate(TABLE)
    for gesture in GESTURES:
        bring(tab, upstream, state)
        expect(tab.talk).to_have_accessible_name(table[state]["talk"])
        following = table[state]["next"].get(gesture, state)
        if gesture == "replay" and "replay" not in table[state]["next"]:
            again = tab.page.get_by_role("button", name="Hear again", disabled=False)
            expect(again).to_have_count(0)
        make(tab, gesture)
        tab.expect_state(table[following]["status"])
        tab.page.keyboard.press("Escape")
        tab.expect_state("Ready")
