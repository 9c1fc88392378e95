"""The table of states, walked through: each gesture leads from each state where it says."""

import pytest
from browser.mouth import OPEN, PAUSED, begin, bring, converse, say
from browser.speaking_upstream import hear, hold_back, once, prepare, speak
from browser.test_microphone import SLOW
from playwright.sync_api import expect

pytestmark = pytest.mark.system
BY_HAND = ["idle", "starting", "listening", "hearing", "thinking", "voicing", "speaking", "stalled"]
HANDS_FREE = ["awaiting", "voice", "answering", "pondering", "preparing", "reading", "weighing"]
HANDS_FREE += ["readying", "replying", "faltering", "interrupted"]
GESTURES = {
    "talk": lambda tab: tab.tap(),
    "stop": lambda tab: tab.press("Escape"),
    "converse": converse,
    "voice": say,
    "file": lambda tab: tab.send(),
    # Though Playwright waits for a button that can be used.
    "replay": lambda tab: tab.button("Hear again").last.click(force=True),
}
STAGES = {
    **dict.fromkeys(["hearing", "answering", "reading"], "stt"),
    **dict.fromkeys(["thinking", "pondering", "weighing"], "text"),
    **dict.fromkeys(["voicing", "preparing", "readying"], "tts"),
}
"""Which stage is waited for in a state."""


def hold_up(upstream, state):
    """Have the stage that is waited for in the state take for ever."""
    if stage := STAGES.get(state):
        upstream.answers[stage], _ = hold_back(upstream.answers.get(stage, hear))
    if state in ("stalled", "faltering"):  # The first sentence is spoken, the next one awaited.
        upstream.answers["tts"] = once(speak(0.4), hold_back(speak())[0])


def reach_by_hand(tab, upstream, state):
    """Bring the page into the state, and see that it stays where it goes from there."""
    hold_up(upstream, state)
    if state in ("starting", "listening"):
        tab.tap()
    elif state != "idle":
        tab.send()
    if state == "listening":
        tab.expect_state("Opening the microphone")
        tab.run("window.allow()")
    if state == "stalled":
        tab.expect_state("Speaking")


def reach_hands_free(tab, upstream, state):
    """The same in a conversation, where nobody still says what was said before."""
    tab.run("window.hush()")
    begin(tab)
    hold_up(upstream, state)
    if state in ("reading", "weighing", "readying"):
        tab.send()
    if state in ("voice", "answering", "pondering", "preparing"):
        say(tab, "question" if state == "voice" else "words")
    if state in ("replying", "faltering", "paused", "recalling", "interrupted"):
        bring(tab, tab.table[state]["status"] if state == "interrupted" else "Speaking")
    if state in ("paused", "recalling"):
        tab.tap(until=PAUSED)
    if state == "recalling":
        GESTURES["replay"](tab)


@pytest.mark.parametrize("state", [*BY_HAND, *HANDS_FREE, "paused", "recalling"])
def test_every_gesture_leads_where_the_table_says(chrome, upstream, state):
    """What the table does not name changes nothing; what Talk does is its name."""
    chrome.table = table = chrome.page.evaluate("async () => (await import('/states.js')).STATES")
    gestures = dict(GESTURES)
    if state in BY_HAND:
        # The switch is where Stop is, and only a conversation hears a voice.
        del gestures["converse"], gestures["voice"]
        prepare(upstream, 0.1)
        chrome.ask(1)
        chrome.run(SLOW)
    elif state in HANDS_FREE:
        del gestures["replay"]  # There is no turn yet.
    for name, gesture in gestures.items():
        upstream.answers.clear()
        prepare(upstream, 20)
        reach = reach_by_hand if state in BY_HAND else reach_hands_free
        reach(chrome, upstream, state)
        chrome.expect_state(table[state]["status"])
        expect(chrome.talk).to_have_accessible_name(table[state]["talk"])
        if "meanwhile" in table[state]:
            chrome.expect_state(table[state]["how"], "#how")
        upstream.answers["stt"], _ = hold_back(hear)
        if name == "replay" and name not in table[state]["next"]:
            again = chrome.page.get_by_role("button", name="Hear again", disabled=False)
            expect(again).to_have_count(0)
        gesture(chrome)
        following = table[state]["next"].get("stop" if name == "converse" else name, state)
        # The microphone may be open before anybody could look.
        row = table["awaiting" if following == "opening" else following]
        chrome.expect_state(row["status"])
        if state not in BY_HAND:
            assert chrome.run(OPEN) == row.get("open", 0)
        if name == "file" and state in ("paused", "recalling"):
            assert chrome.text_of(".note").startswith("Conversation ended here: ")
        if chrome.text_of("#status") != "Ready":
            chrome.press("Escape")
        chrome.expect_state("Ready")
