"""What a held Talk and its microphone may meet: too slow a device, a slip of the finger, a mute."""

import time

import pytest
from browser.conftest import ALLOWED
from playwright.sync_api import expect

pytestmark = pytest.mark.system

SLOW = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (asked) => {
  await new Promise((resolve) => { window.waiting.push(resolve); });
  return open(asked);
};
window.waiting = [];
window.allow = () => { for (const go of window.waiting.splice(0)) go(); };
"""
MUTED = "Your system mutes the microphone: nothing is heard until it is unmuted there"
LEVEL = "() => Number(document.getElementById('talk').style.getPropertyValue('--level'))"


def test_a_hold_that_ends_before_the_microphone_is_open(visit, serve, upstream):
    """Nothing was heard: it says so, and does not begin to listen then."""
    tab = visit(serve().url, script=SLOW)
    tab.page.keyboard.down(" ")
    tab.expect_state("Opening the microphone")
    time.sleep(0.6)
    tab.page.keyboard.up(" ")
    tab.expect_failure("The microphone was not open yet")
    tab.page.evaluate("window.allow()")
    time.sleep(1)
    tab.expect_failure("The microphone was not open yet")
    assert upstream.requests == []


def test_a_microphone_that_was_given_up_takes_nothing_from_the_next(visit, launch, serve):
    """Though it opens after it."""
    beeping = launch("--use-fake-device-for-media-stream", ALLOWED)
    tab = visit(serve().url, browser=beeping, script=SLOW)
    for _ in range(2):
        tab.page.keyboard.press("Escape")
        tab.tap()
        tab.expect_state("Opening the microphone")
    tab.page.wait_for_function("() => window.waiting.length === 2")
    tab.page.evaluate("window.waiting.pop()()")
    tab.expect_state("Listening")
    tab.page.evaluate("window.waiting.pop()()")
    time.sleep(1)
    tab.page.wait_for_function(f"() => ({LEVEL})() > 0.1", polling=50)
    tab.page.keyboard.press("Escape")


def test_sliding_off_a_held_talk_cancels(tab, upstream):
    """The page says so before it is let go; who slides back sends after all."""
    tab.talk.hover()
    tab.page.mouse.down()
    tab.expect_state("Listening")
    hint = tab.page.locator("#how")
    expect(hint).to_have_text("Let go to send. Slide off to cancel.")
    tab.page.mouse.move(20, 20)
    expect(hint).to_have_text("Let go to cancel.")
    expect(tab.page.get_by_role("button", name="Cancel")).to_have_count(1)
    expect(tab.talk).to_have_accessible_name("Cancel")
    expect(tab.page.get_by_role("button", name="Mute")).to_be_hidden()
    tab.talk.hover()
    expect(hint).to_have_text("Let go to send. Slide off to cancel.")
    expect(tab.talk).to_have_accessible_name("Send")
    tab.page.mouse.move(20, 20)
    tab.page.mouse.up()
    tab.expect_state("Ready")
    time.sleep(1)
    assert upstream.requests == []


def test_a_microphone_that_the_system_mutes(tab):
    """Is not said to listen, until it is unmuted."""
    tab.page.evaluate(
        """() => {
          const create = AudioContext.prototype.createMediaStreamSource;
          AudioContext.prototype.createMediaStreamSource = function (stream) {
            window.track = stream.getTracks()[0];
            return create.call(this, stream);
          };
        }"""
    )
    tab.tap()
    tab.expect_state("Listening")
    for muted, words in ((True, MUTED), (False, "Listening")):
        tab.page.evaluate(
            """(muted) => {
              Object.defineProperty(window.track, "muted", { value: muted, configurable: true });
              window.track.dispatchEvent(new Event(muted ? "mute" : "unmute"));
            }""",
            muted,
        )
        tab.expect_state(words)
    tab.page.keyboard.press("Escape")
