"""A microphone that is lost while the page listens: it says so, and keeps what was recorded."""

import time

import pytest
from browser.recorded import recorded
from browser.tab import QUESTION_SECONDS
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
LOST = "The microphone was lost: connect or allow it again, then press Talk."


@pytest.fixture
def tab(visit, asking, serve):
    """The page, with leave for the microphone."""
    return visit(serve().url, browser=asking, permissions=["microphone"])


@pytest.fixture
def send(tab):
    """The button that sends what was recorded."""
    return tab.page.get_by_role("button", name="Send what was recorded")


def lose(tab):
    """Listen to the question, and withdraw the leave: the track ends, as an unplugged one does."""
    tab.tap()
    tab.expect_state("Listening")
    time.sleep(QUESTION_SECONDS)
    tab.page.context.clear_permissions()
    tab.expect_failure(LOST)


def test_what_a_lost_microphone_recorded_is_kept_until_it_is_sent_or_not_wanted(
    tab, send, upstream
):
    """Nothing is sent unasked, since it may end in the middle of a sentence.

    Who did not see that it was lost presses Talk to send; Escape means that it is not wanted.
    """
    lose(tab)
    time.sleep(1)
    assert upstream.requests == []
    for _ in range(2):
        expect(send).to_be_visible()
        tab.tap()
        tab.expect_failure("The microphone is blocked")
    send.click()
    expect(tab.said).to_have_text(TRANSCRIPT)
    assert recorded(upstream).loudest() > 0.1
    tab.expect_turn(1)
    expect(tab.alert).to_be_empty()
    tab.tap()
    tab.expect_failure("The microphone is blocked")
    expect(send).to_be_hidden()
    tab.page.context.grant_permissions(["microphone"])
    lose(tab)
    tab.page.keyboard.press("Escape")
    expect(tab.alert).to_be_empty()
    tab.tap()
    tab.expect_failure("The microphone is blocked")
    expect(send).to_be_hidden()


def test_a_device_that_is_gone_before_it_recorded_anything(visit, serve):
    """There is nothing to send then."""
    nothing = """
    const ondata = Object.getOwnPropertyDescriptor(MediaRecorder.prototype, "ondataavailable");
    Object.defineProperty(MediaRecorder.prototype, "ondataavailable", {
      set(take) { ondata.set.call(this, take && (() => take({ data: new Blob() }))); },
    });
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (asked) => {
      const stream = await open(asked);
      window.unplug = () => {
        for (const track of stream.getTracks()) {
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }
      };
      return stream;
    };
    """
    tab = visit(serve().url, script=nothing)
    tab.tap()
    tab.expect_state("Listening")
    tab.page.evaluate("window.unplug()")
    tab.expect_failure(LOST)
    expect(tab.page.locator("#failure button")).to_have_count(2)
    for button in tab.page.locator("#failure button").all():
        expect(button).to_be_hidden()


def test_a_hold_that_outlasts_the_microphone_sends_nothing(tab, send, upstream):
    """Its end is not the beginning of another recording."""
    tab.page.keyboard.down(" ")
    tab.expect_state("Listening")
    tab.page.context.clear_permissions()
    tab.expect_failure(LOST)
    tab.page.keyboard.up(" ")
    time.sleep(1)
    tab.expect_failure(LOST)
    expect(send).to_be_visible()
    assert upstream.requests == []
