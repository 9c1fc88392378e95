"""What ends a conversation without a hand, or makes it wait, and the sentence for each."""

import pytest
from browser.mouth import HEARD, INTERRUPTED, OPEN, PAUSED, begin, bring, converse, say, script
from browser.recorded import recorded
from browser.speaking_upstream import hear, hear_nothing, hold_back, refuse, speak, told, write
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT, http

pytestmark = pytest.mark.system
WITHDRAW = "for (const track of window.microphones) track.dispatchEvent(new Event('ended'))"
MUTE = """for (const track of window.microphones) {
  Object.defineProperty(track, "muted", { value: true });
  track.dispatchEvent(new Event("mute"));
}"""
OTHER_TAB = "new BroadcastChannel('parley').postMessage('quiet')"
REFUSE = """
const [name] = arguments;
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", name); };
"""
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
@pytest.mark.parametrize("state", [HEARD, "Waiting for the transcript"])
def test_what_was_said_until_then_can_be_sent(chrome, upstream, what, state):
    """While it is being said, and while it is not yet recognised."""
    upstream.answers["stt"], _ = hold_back(hear)
    begin(chrome)
    say(chrome)
    chrome.expect_state(state)
    chrome.run(what)
    chrome.expect_state(PAUSED)
    upstream.answers["stt"] = hear
    upstream.requests.clear()
    chrome.button("Send what was recorded").click()
    chrome.expect_turn(1)
    assert recorded(upstream).seconds > (0.3 if state == HEARD else 2)


@pytest.mark.parametrize("state", ["Listening", "Speaking", INTERRUPTED])
def test_whatever_takes_the_microphone_pauses_it_and_is_told(chrome, upstream, state):
    """The microphone is closed, the voice is silent, and Go on opens it again."""
    upstream.answers["tts"] = speak(20)
    chrome.run(SCREEN)
    begin(chrome)
    for what, words in TAKEN.items():
        if state != "Listening":
            bring(chrome, state)
        chrome.run(what)
        chrome.expect_state(PAUSED)
        assert chrome.text_of("#alert").startswith(words)
        assert chrome.run(OPEN) == 0
        assert chrome.run("return window.awake.splice(0)") == ["asked", "given back"]
        assert chrome.text_of("#talk-word") == "Go on"
        chrome.tap(until="Listening")
        assert chrome.text_of("#alert") == ""
        assert chrome.run(OPEN) == 1


def test_after_five_minutes_without_a_voice_it_pauses(new_tab, serve):
    """Not before; a voice begins them anew."""
    chrome = new_tab("chromium").open(serve().url, script())
    begin(chrome)
    bring(chrome, "Speaking")
    chrome.expect_state("Listening")
    chrome.page.clock.install()
    chrome.run(OTHER_TAB)
    chrome.expect_state(PAUSED)
    chrome.tap(until="Listening")
    chrome.page.clock.fast_forward(299_000)
    chrome.expect_state("Listening")
    chrome.page.clock.fast_forward(2_000)
    chrome.expect_state(PAUSED)
    assert chrome.text_of("#alert").startswith("Nobody has spoken for five minutes")
    assert chrome.run(OPEN) == 0
    chrome.click("#clear")
    assert chrome.text_of("#cleared").startswith("The conversation was ended and cleared;")
    assert chrome.text_of("#undo") == "Bring its turns back"


def wait_for_long(connection, _request):
    """Answers that no more calls are allowed for five minutes."""
    connection.sendall(http(b"{}", "429 Too Many Requests", Retry_After="300"))
    return True


@pytest.mark.parametrize(
    ("stage", "answer", "words", "state"),
    [
        ("stt", hear_nothing, "No words were recognised: say it again", "Listening"),
        ("tts", refuse("400 Bad Request"), "Text to speech: The AI service refused", "Listening"),
        ("stt", refuse("401 Unauthorized"), "The AI service asks for an API key", PAUSED),
        ("stt", wait_for_long, "Wait 5 minutes, then try again.", PAUSED),
    ],
    ids=["no words", "refused", "a key", "a wait"],
)
def test_a_failure_is_told_and_it_listens_on(chrome, upstream, stage, answer, words, state):
    """Unless Settings have to mend it, or nothing can be said for a while."""
    upstream.answers[stage] = answer
    begin(chrome)
    say(chrome, "words")
    expect(chrome.alert).to_contain_text(words)
    chrome.expect_state(state)
    if state == PAUSED:  # What is tried again goes on with it.
        del upstream.answers[stage]
        if "key" in words:  # Nobody speaks in vain, and it is not ended.
            chrome.tap(until=PAUSED)
            expect(chrome.alert).to_contain_text(words)
            assert chrome.run("return document.getElementById('converse').ariaChecked") == "true"
        chrome.click("#try-again")
        chrome.wait_for("return document.querySelectorAll('.again:not([hidden])').length === 1")
        chrome.expect_state("Listening")
        assert chrome.run(OPEN) == 1


def test_no_words_where_a_reply_was_interrupted(chrome, upstream):
    """A noise is not asked to speak up; what was told of it goes once somebody speaks."""
    upstream.answers["tts"] = speak(20)
    begin(chrome)
    bring(chrome, INTERRUPTED)
    upstream.answers["stt"] = hear_nothing
    expect(chrome.alert).to_contain_text("in what interrupted the reply: press Hear again to")
    chrome.expect_state("Listening")
    say(chrome)
    chrome.expect_state(HEARD)
    assert chrome.text_of("#alert") == ""


def test_what_was_said_is_kept_where_the_microphone_cannot_be_opened_again(chrome, upstream):
    """Who finds no microphone after Settings can still send it; the model is told of it once."""
    upstream.answers["text"] = refuse("401 Unauthorized")
    begin(chrome)
    say(chrome)
    chrome.expect_state(PAUSED)
    chrome.run(REFUSE, "NotFoundError")
    chrome.click("#try-again")
    chrome.expect_failure("No microphone was found")
    chrome.expect_state(PAUSED)
    assert chrome.page.locator("#try-again").inner_text() == "Send what was recorded"
    upstream.answers["text"] = write()
    chrome.click("#try-again")
    chrome.expect_turn(1, rest="Not ready")
    assert told(upstream)[-1] == [("user", TRANSCRIPT)]


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
    chrome.expect_failure(f"{words}, then try again.")
    assert chrome.run("return document.getElementById('converse').ariaChecked") == "false"


def test_what_is_missing_is_told_before_anything_is_said(new_tab, serve):
    """Not after it was said in vain; the microphone is not asked for."""
    tab = new_tab("chromium").open(serve(PARLEY_KEY_REQUIRED="yes").url, script())
    converse(tab)
    tab.expect_failure("An API key is needed")
    assert tab.run(OPEN) == 0
