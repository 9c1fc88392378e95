"""What ends a conversation without a hand, or makes it wait, and the sentence for each."""

import pytest
from browser import engines, speaking_upstream
from browser.engines import tap, wait_for, wait_for_state
from browser.mouth import HEARD, INTERRUPTED, OPEN, PAUSED, begin, bring, converse, in_room, say
from browser.recorded import recorded
from browser.speaking_upstream import QUESTION, hear, hold_back, prepare, refuse, speak, told, write
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
ALERT = "return document.getElementById('alert').textContent"
WITHDRAW = "for (const track of window.microphones) track.dispatchEvent(new Event('ended'))"
MUTE = """for (const track of window.microphones) {
  Object.defineProperty(track, "muted", { value: true });
  track.dispatchEvent(new Event("mute"));
}"""
NOTE = "return document.querySelector('.note').textContent"
OTHER_TAB = "new BroadcastChannel('parley').postMessage('quiet')"


SCREEN = """
window.awake = [];
navigator.wakeLock.request = async () => {
  window.awake.push("asked");
  return { release: async () => { window.awake.push("given back"); } };
};
"""
TAKEN = {
    WITHDRAW: "The microphone was lost: connect or allow it again, then press Go on.",
    MUTE: "Something else has taken the microphone, a call perhaps: press Go on",
    OTHER_TAB: "Another tab with this page began to listen or to speak: press Go on",
}


@pytest.mark.parametrize("what", [WITHDRAW, OTHER_TAB])
@pytest.mark.parametrize("state", [HEARD, "Hearing what was said"])
def test_what_was_said_until_then_can_be_sent(chrome, upstream, what, state):
    """While it is being said, and while it is not yet recognised."""
    upstream.answers["stt"], _ = hold_back(hear)
    begin(chrome)
    say(chrome)
    wait_for_state(chrome, state)
    chrome.run(what)
    wait_for_state(chrome, PAUSED)
    upstream.answers["stt"] = hear
    upstream.requests.clear()
    chrome.page.get_by_role("button", name="Send what was recorded").click()
    engines.wait_for_turn(chrome, 1)
    assert recorded(upstream).seconds > (0.3 if state == HEARD else 2)


@pytest.mark.parametrize("state", ["Listening", "Speaking", INTERRUPTED])
def test_whatever_takes_the_microphone_pauses_it_and_is_told(chrome, upstream, state):
    """The microphone is closed, the voice is silent, and Go on opens it again.

    The screen stays awake for as long as it listens.
    """
    upstream.answers["tts"] = speak(20)
    chrome.run(SCREEN)
    begin(chrome)
    for what, words in TAKEN.items():
        if state != "Listening":
            bring(chrome, state)
        chrome.run(what)
        wait_for_state(chrome, PAUSED)
        assert chrome.run(ALERT).startswith(words)
        assert chrome.run(OPEN) == 0
        assert chrome.run("return window.awake.splice(0)") == ["asked", "given back"]
        assert chrome.run("return document.getElementById('talk-word').textContent") == "Go on"
        tap(chrome)
        wait_for_state(chrome, "Listening")
        assert chrome.run(ALERT) == ""
        assert chrome.run(OPEN) == 1


def test_after_five_minutes_without_a_voice_it_pauses(chrome):
    """Not before; a voice begins them anew."""
    begin(chrome)
    bring(chrome, "Speaking")
    wait_for_state(chrome, "Listening")
    chrome.page.clock.install()
    chrome.run(OTHER_TAB)
    wait_for_state(chrome, PAUSED)
    tap(chrome)
    wait_for_state(chrome, "Listening")
    chrome.page.clock.fast_forward(299_000)
    wait_for_state(chrome, "Listening")
    chrome.page.clock.fast_forward(2_000)
    wait_for_state(chrome, PAUSED)
    assert chrome.run(ALERT).startswith("Nobody has spoken for five minutes")
    assert chrome.run(OPEN) == 0
    chrome.click("#clear")
    cleared = chrome.run("return document.getElementById('cleared').textContent")
    assert cleared.startswith("The conversation was ended and cleared.")


@pytest.mark.parametrize(
    ("stage", "answer", "words", "state"),
    [
        (
            "stt",
            speaking_upstream.hear_nothing,
            "No words were recognised: say it again",
            "Listening",
        ),
        ("tts", refuse("400 Bad Request"), "Text to speech: The AI service refused", "Listening"),
        ("stt", refuse("401 Unauthorized"), "The AI service asks for an API key", PAUSED),
    ],
    ids=["no words", "refused", "a key"],
)
def test_a_failure_is_told_and_it_listens_on(chrome, upstream, stage, answer, words, state):
    """Unless Settings have to mend it."""
    upstream.answers[stage] = answer
    begin(chrome)
    say(chrome, "words")
    wait_for(chrome, f"{ALERT}.startsWith(arguments[0])", words)
    wait_for_state(chrome, state)
    if state == PAUSED:  # What is tried again goes on with it.
        del upstream.answers[stage]
        chrome.click("#try-again")
        wait_for(chrome, f"{engines.TURNS_OVER} === 1")
        wait_for_state(chrome, "Listening")
        assert chrome.run(OPEN) == 1


def test_what_was_said_is_kept_where_the_microphone_cannot_be_opened_again(chrome, upstream):
    """Who finds no microphone after Settings can still send it; the model is told of it once."""
    upstream.answers["text"] = refuse("401 Unauthorized")
    begin(chrome)
    say(chrome)
    wait_for_state(chrome, PAUSED)
    chrome.run(REFUSE, "NotFoundError")
    chrome.click("#try-again")
    engines.wait_for_failure(chrome, "No microphone was found")
    assert chrome.page.locator("#try-again").inner_text() == "Send what was recorded"
    upstream.answers["text"] = write()
    chrome.click("#try-again")
    engines.wait_for_turn(chrome, 1)
    assert told(upstream)[-1] == [("user", TRANSCRIPT)]


REFUSE = """
const [name] = arguments;
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", name); };
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The microphone is blocked: allow it for this page in the browser"),
        ("NotFoundError", "No microphone was found: connect one"),
        ("NotReadableError", "The microphone cannot be opened: close other programs that use it"),
    ],
)
def test_without_a_microphone_there_is_no_conversation(chrome, error, words):
    """The switch is off again, and it says why."""
    chrome.run(REFUSE, error)
    converse(chrome)
    engines.wait_for_failure(chrome, f"{words}, then switch Conversation on again.")
    assert chrome.run("return document.getElementById('converse').ariaChecked") == "false"


def test_what_is_missing_is_told_before_anything_is_said(new_tab, serve):
    """Not after it was said in vain; the microphone is not asked for."""
    tab = in_room(new_tab("chromium"), serve(PARLEY_KEY_REQUIRED="yes").url)
    converse(tab)
    engines.wait_for_failure(tab, "An API key is needed")
    assert tab.run(OPEN) == 0


GESTURES = {
    "talk": tap,
    "stop": lambda tab: tab.press("Escape"),
    "converse": converse,
    "voice": say,
    "replay": lambda tab: tab.click(".turn:last-child [data-action=replay]"),
    "file": lambda tab: tab.send(QUESTION),
}
STATES = ["awaiting", "voice", "answering", "pondering", "replying", "interrupted", "paused"]


@pytest.mark.parametrize("state", [*STATES, "recalling"])
def test_every_gesture_leads_where_the_table_says(chrome, upstream, state):
    """The switch ends it as Escape does; what the table does not name changes nothing."""
    table = chrome.page.evaluate("async () => (await import('/states.js')).STATES")
    for name, gesture in GESTURES.items():
        if name == "replay" and state not in ("paused", "recalling"):
            continue  # There is no turn yet.
        upstream.answers.clear()
        prepare(upstream).answers["tts"] = speak(20)
        begin(chrome)
        match state:
            case "paused" | "recalling":
                bring(chrome, "Speaking")
                tap(chrome)
                wait_for_state(chrome, PAUSED)
                if state == "recalling":
                    GESTURES["replay"](chrome)
            case "voice":
                say(chrome)
            case "answering":
                upstream.answers["stt"], _ = hold_back(hear)
                say(chrome, "words")
            case "pondering":
                upstream.answers["text"], _ = hold_back(upstream.answers["text"])
                say(chrome, "words")
            case "replying" | "interrupted":
                bring(chrome, table[state]["status"])
        wait_for_state(chrome, table[state]["status"])
        upstream.answers["stt"], _ = hold_back(hear)
        gesture(chrome)
        happening = "stop" if name == "converse" else name
        following = table[state]["next"].get(happening, state)
        # The microphone may be open before anybody could look.
        row = table["awaiting" if following == "opening" else following]
        wait_for_state(chrome, row["status"])
        assert chrome.run(OPEN) == row.get("open", 0)
        if name == "file" and state in ("paused", "recalling"):
            assert chrome.run(NOTE).startswith("Conversation is off from here on")
        if chrome.run("return document.getElementById('status').textContent") != "Ready":
            chrome.press("Escape")
        wait_for_state(chrome, "Ready")
