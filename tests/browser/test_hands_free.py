"""A conversation without a hand: several turns of it, its pauses and its interruptions."""

import time

import numpy as np
import pytest
from browser.conftest import PHONE
from browser.mouth import (
    HEARD,
    INTERRUPTED,
    OPEN,
    PAUSED,
    begin,
    bring,
    converse,
    question,
    say,
    script,
)
from browser.recorded import recorded
from browser.speaking_upstream import SENTENCES, hear, hold_back, speak, speak_on, told, write
from testing.fake_openai import TRANSCRIPT, http, soon

pytestmark = pytest.mark.system
INSTRUCTIONS = """return [...document.querySelectorAll(".by-hand, #how")].map(
  (one) => one.checkVisibility({ visibilityProperty: true }))"""
NUMBERS = " ".join(map(str, range(100)))  # Spoken in a minute, the first is heard at once.


def test_several_turns_without_a_touch(phone, upstream):
    """After one by hand; two replies are interrupted, and told of to where they were heard."""
    upstream.answers["tts"] = speak(0.1)
    phone.tap(until="Listening")
    say(phone)
    time.sleep(1)
    phone.tap()
    phone.expect_turn(1)
    upstream.answers.update(text=write([NUMBERS]), tts=speak_on)
    begin(phone)
    for turn in range(3):
        say(phone, "question" if turn == 2 else "words")
        phone.expect_state(INTERRUPTED if turn else HEARD)
        phone.expect_state("Speaking")
        phone.wait_for("return document.querySelector('.turn:last-child .heard')?.textContent")
        time.sleep(1.5)
    assert phone.count(".stopped") == 2
    heard = [turn[1::2] for turn in told(upstream)]
    assert [len(turns) for turns in heard] == [0, 1, 2, 3]
    for _, reply in heard[3][1:]:
        assert NUMBERS.startswith(reply)
        assert 0 < len(reply) < len(NUMBERS)
    recording = recorded(upstream)
    assert recording.bytes.startswith(b"RIFF")
    assert 2 < recording.seconds < 4
    phone.stop()
    assert phone.run(OPEN) == 0


@pytest.mark.alone
def test_a_voice_interrupts_within_300_milliseconds(chrome, ear, upstream):
    """Of its first sound, the loudspeaker is silent."""
    upstream.answers["tts"] = speak(20)
    begin(chrome)
    # Whatever else the machine does can only delay it.
    assert any(seconds_to_silence(chrome, ear) < 0.3 for _ in range(6))


def seconds_to_silence(chrome, ear):
    """How long a reply is heard after somebody speaks; it listens again then."""
    bring(chrome, "Speaking")
    time.sleep(1)
    with ear.listening() as recording:
        time.sleep(0.3)
        say(chrome)
        chrome.expect_state(INTERRUPTED)
        time.sleep(0.5)
    chrome.expect_state("Speaking")
    chrome.click("#talk")
    chrome.expect_state(PAUSED)
    chrome.click("#talk")
    chrome.expect_state("Listening")
    # The question begins with a fifth of a second of silence.
    return recording.last_sound() - chrome.run("return window.began") / 1000 - 0.25


@pytest.mark.alone
def test_a_noise_interrupts_nothing(chrome, ear, upstream):
    """The reply waits for as long as it may be a voice, then goes on, and all of it is heard."""
    upstream.answers["tts"] = speak(3)
    begin(chrome)
    # The page may take one so short for none, and for some seconds then for the loudspeaker's.
    for _ in range(5):
        with ear.listening() as recording:
            bring(chrome, "Speaking")
            time.sleep(1.5)
            say(chrome, "syllable")
            interrupted = soon(lambda: chrome.has_shown(INTERRUPTED), 2)
            if interrupted:
                chrome.expect_state("Speaking")
            chrome.expect_state("Listening")
            time.sleep(0.5)
        if interrupted:
            break
    assert interrupted
    assert 5.5 < recording.sounding() < 6.5  # Two segments of 3 s.
    assert recording.longest_gap() > 0.5
    assert len(told(upstream)) == chrome.count(".turn")
    assert chrome.count(".stopped") == 0


@pytest.mark.alone
def test_its_own_voice_interrupts_nothing(chrome, upstream):
    """Though the microphone hears it as loud as it is played, without echo cancellation."""
    spoken = (np.tile(question(), 2) * 32767).astype("<i2").tobytes()
    upstream.answers["tts"] = lambda connection, _: connection.sendall(http(spoken)) or True
    upstream.answers["text"] = write(SENTENCES[:1])
    begin(chrome)
    chrome.run(
        """window.hearLoudspeaker();
        window.states = [];
        new MutationObserver(() => window.states.push(document.body.dataset.state)).observe(
          document.body, { attributeFilter: ["data-state"] });"""
    )
    bring(chrome, "Speaking")
    chrome.expect_state("Listening")
    time.sleep(2)
    assert chrome.run("return window.states") == [
        *("listening", "hearing", "thinking", "thinking", "speaking", "listening")
    ]


def test_who_goes_on_had_not_finished(chrome, upstream):
    """What was sent is sent again, with what was said after it: one turn, and one for the model."""
    upstream.answers["text"], go = hold_back(write())
    begin(chrome)
    say(chrome)
    chrome.expect_state("Waiting for the answer")
    say(chrome)
    chrome.expect_state(HEARD)
    chrome.expect_state("It is sent with what you said before.", "#how")
    chrome.expect_state("Waiting for the transcript")
    chrome.expect_state("Waiting for the answer")
    go.set()
    chrome.wait_for("return document.querySelectorAll('.again:not([hidden])').length")
    assert chrome.count(".turn") == 1
    assert told(upstream)[-1] == [("user", TRANSCRIPT)]
    assert recorded(upstream).seconds > 4


def test_who_speaks_while_a_file_is_heard_adds_nothing_to_it(chrome, upstream):
    """It is asked instead of the file, without what was said before."""
    begin(chrome)
    say(chrome)
    chrome.expect_state("Speaking")
    chrome.expect_state("Listening")
    upstream.answers["stt"], _ = hold_back(hear)
    chrome.send()
    chrome.expect_state("Pause cancels it.", "#how")
    say(chrome, "words")
    chrome.expect_state("It is asked instead.", "#how")
    del upstream.answers["stt"]
    chrome.expect_state("Speaking")
    assert recorded(upstream).seconds < 2.5
    assert chrome.count(".turn") == 2
    chrome.expect_state("Listening")
    upstream.answers["stt"], _ = hold_back(hear)
    chrome.send()
    chrome.expect_state("Pause cancels it.", "#how")
    chrome.run("new BroadcastChannel('parley').postMessage('quiet')")
    chrome.expect_state(PAUSED)
    assert chrome.run("return document.getElementById('try-again').hidden")


def test_who_speaks_already_as_the_reply_begins_had_not_finished(chrome, upstream):
    """It does not talk into what is being said: nothing was heard, and so nothing interrupted."""
    upstream.answers["tts"], go = hold_back(speak(20))
    begin(chrome)
    say(chrome)
    chrome.expect_state("Waiting for the voice")
    say(chrome)
    chrome.expect_state("It is sent with what you said before.", "#how")
    go.set()
    chrome.expect_state("The reply comes if no voice was heard.", "#how")
    chrome.expect_state("Speaking")
    assert not chrome.has_shown(INTERRUPTED)
    assert chrome.count(".turn") == 1
    assert told(upstream) == [[("user", TRANSCRIPT)]] * 2


def test_what_could_not_be_loaded_is_loaded_once_it_can_be(new_tab, serve):
    """Though a browser may remember of an address that nothing was there."""
    tab = new_tab("firefox", **PHONE).open(serve().url, script())
    tab.page.route("**/ear-worklet.js*", lambda route: route.abort())
    converse(tab)
    tab.expect_failure("The conversation cannot begin")
    tab.page.unroute("**/ear-worklet.js*")
    begin(tab)


def test_nothing_is_loaded_before_it_is_wanted(new_tab, serve):
    """Nor is the microphone asked for; echo cancellation is then, and what to do is told."""
    tab, loaded = new_tab("chromium", **PHONE), []
    tab.page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
    tab.open(serve().url, script())
    assert "voice-model.bin" not in loaded
    assert tab.run(INSTRUCTIONS) == [True, True, True, False]
    begin(tab)
    assert tab.run(INSTRUCTIONS) == [False, False, False, True]
    assert loaded.count("voice-model.bin") == 1
    assert tab.run("return window.asked.audio.echoCancellation") is True
    converse(tab)
    tab.expect_state("Ready")
    begin(tab)
    assert loaded.count("voice-model.bin") == 1
