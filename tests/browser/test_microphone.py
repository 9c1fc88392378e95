"""The microphone: held, muted, lost and given back, and how its recording is named."""

import time

import pytest
from browser.conftest import ALLOWED, MICROPHONE
from browser.recorded import NOTE_FORMS, recorded
from browser.tab import QUESTION_SECONDS
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system

NOTE_DEVICES = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (asked) => {
  window.asked = asked;
  if (window.allow) await new Promise((resolve) => { window.waiting.push(resolve); });
  const stream = await open(asked);
  window.tracks.push(...stream.getTracks());
  return stream;
};
window.tracks = [];
window.waiting = [];
"""
SLOW = (
    f"{NOTE_DEVICES} window.allow = () => {{ for (const go of window.waiting.splice(0)) go(); }};"
)
TELL = """for (const track of window.tracks) {
  Object.defineProperty(track, "muted", { value: arguments[0] === "mute", configurable: true });
  track.dispatchEvent(new Event(arguments[0]));
}"""
MUTED = "Your system mutes the microphone: nothing is heard until it is unmuted there"
LOST = "The microphone was lost: connect or allow it again, then press Talk."
LEVEL = "() => Number(document.getElementById('talk').style.getPropertyValue('--level'))"


def test_a_hold_that_ends_before_the_microphone_is_open(visit, serve, upstream):
    """Nothing was heard: it says so, and does not begin to listen then."""
    tab = visit(serve().url, script=SLOW)
    tab.page.keyboard.down(" ")
    tab.expect_state("Opening the microphone")
    time.sleep(0.6)
    tab.page.keyboard.up(" ")
    tab.expect_failure("The microphone was not open yet")
    tab.run("window.allow()")
    time.sleep(1)
    tab.expect_failure("The microphone was not open yet")
    assert upstream.requests == []


def test_a_microphone_that_was_given_up_takes_nothing_from_the_next(visit, launch, serve):
    """Though it opens after it."""
    beeping = launch("--use-fake-device-for-media-stream", ALLOWED)
    tab = visit(serve().url, browser=beeping, script=SLOW)
    for _ in range(2):
        tab.press("Escape")
        tab.tap(until="Opening the microphone")
    tab.page.wait_for_function("() => window.waiting.length === 2")
    tab.page.evaluate("window.waiting.pop()()")
    tab.expect_state("Listening")
    tab.page.evaluate("window.waiting.pop()()")
    time.sleep(1)
    tab.page.wait_for_function(f"() => ({LEVEL})() > 0.1", polling=50)
    tab.press("Escape")


def test_sliding_off_a_held_talk_cancels(tab, upstream):
    """The page says so before it is let go; who slides back sends after all."""
    hint, mouse = tab.page.locator("#how"), tab.page.mouse
    tab.talk.hover()
    mouse.down()
    tab.expect_state("Listening")
    for _ in range(2):
        expect(hint).to_have_text("Let go to send. Slide off to cancel.")
        expect(tab.talk).to_have_accessible_name("Send")
        mouse.move(20, 20)
        expect(hint).to_have_text("Let go to cancel.")
        expect(tab.button("Cancel")).to_have_count(1)
        expect(tab.talk).to_have_accessible_name("Cancel")
        expect(tab.button("Mute")).to_be_hidden()
        tab.talk.hover()
    mouse.move(20, 20)
    mouse.up()
    tab.expect_state("Ready")
    time.sleep(1)
    assert upstream.requests == []


def test_a_microphone_that_the_system_mutes(tab):
    """Is not said to listen, until it is unmuted."""
    tab.run(NOTE_DEVICES)
    tab.tap(until="Listening")
    hints = ("Send sends what was heard before.", "Tap Send when you have said it.")
    for event, words, hint in zip(("mute", "unmute"), (MUTED, "Listening"), hints, strict=True):
        tab.run(TELL, event)
        tab.expect_state(words)
        expect(tab.page.locator("#how")).to_have_text(hint)
    tab.press("Escape")


@pytest.mark.parametrize("way", ["#talk", "#converse"])
def test_a_microphone_that_gives_nothing(tab, way):
    """Is not said to listen for ever; where it gives something, it does."""
    tab.run("""const hum = new OscillatorNode(new AudioContext());
    const room = hum.context.createMediaStreamDestination();
    hum.connect(new GainNode(hum.context, { gain: 0.001 })).connect(room);
    navigator.mediaDevices.getUserMedia = async () => room.stream.clone();
    window.begin = () => hum.start();""")
    tab.click(way)
    tab.expect_state("Listening, but no sound comes from the microphone: is it switched on?")
    tab.run("window.begin()")
    expect(tab.page.locator("#status")).to_have_text("Listening")
    tab.press("Escape")


@pytest.fixture
def tab(visit, launch, serve):
    """The page, with leave for the microphone."""
    return visit(serve().url, browser=launch(*MICROPHONE), permissions=["microphone"])


@pytest.fixture
def send(tab):
    return tab.button("Send what was recorded")


def lose(tab):
    """Listen to the question, and withdraw the leave: the track ends, as an unplugged one does."""
    tab.tap(until="Listening")
    time.sleep(QUESTION_SECONDS)
    tab.page.context.clear_permissions()
    tab.expect_failure(LOST)


def test_what_a_lost_microphone_recorded_is_kept_until_it_is_sent_or_not_wanted(
    tab, send, upstream
):
    """Nothing is sent unasked, since it may end in the middle of a sentence."""
    lose(tab)
    tab.expect_state("Another try may fail")
    time.sleep(1)
    assert upstream.requests == []
    for _ in range(2):
        expect(send).to_be_visible()
        tab.tap(fails="The microphone is blocked")
    tab.page.context.grant_permissions(["microphone"])
    allowed = "The microphone is allowed: send what was recorded."
    expect(tab.page.locator("#alert")).to_have_text(allowed)
    tab.page.context.clear_permissions()
    send.click()
    expect(tab.said).to_have_text(TRANSCRIPT)
    assert recorded(upstream).loudest() > 0.1
    tab.expect_turn(1)
    expect(tab.alert).to_be_empty()
    tab.tap(fails="The microphone is blocked")
    expect(send).to_be_hidden()
    tab.page.context.grant_permissions(["microphone"])
    lose(tab)
    tab.press("Escape")
    expect(tab.alert).to_be_empty()
    tab.tap(fails="The microphone is blocked")
    expect(send).to_be_hidden()


def test_a_device_that_is_gone_before_it_recorded_anything(tab):
    """There is nothing to send then."""
    tab.run(NOTE_DEVICES)
    tab.run(
        """const { prototype } = MediaRecorder;
        const ondata = Object.getOwnPropertyDescriptor(prototype, "ondataavailable");
        Object.defineProperty(prototype, "ondataavailable", {
          set(take) { ondata.set.call(this, take && (() => take({ data: new Blob() }))); },
        });"""
    )
    tab.tap(until="Listening")
    tab.run("window.tracks[0].stop()")
    tab.run(TELL, "ended")
    tab.expect_failure(LOST)
    assert tab.count("#failure button[hidden]") == tab.count("#failure button") == 2


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


BROWSERS = {
    # Firefox's own default is Ogg, which the service refuses; Chromium can do MP4, too.
    "others": (r"/webm|ogg|mp4/", "audio/webm", "recording.webm", b"\x1a\x45\xdf\xa3"),
    "safari": (r"/mp4/", "audio/mp4", "recording.mp4", b"ftyp"),
}
SESSION = """window.told = [];
Object.defineProperty(navigator, "audioSession", {
  value: { set type(type) { window.told.push(type); } },
});"""
STATES = "return window.tracks.map((track) => track.readyState)"


@pytest.mark.parametrize("name", BROWSERS)
def test_what_is_recorded_is_named_and_the_microphone_given_back(visit, serve, upstream, name):
    """By what the browser can record of what the service takes. Chromium stands in for all.

    It is open while it listens, and at no other time; and is asked not to hear the page.
    """
    kinds, kind, file_name, signature = BROWSERS[name]
    can = f"MediaRecorder.isTypeSupported = (type) => {kinds}.test(type);"
    tab = visit(serve().url, script=can + NOTE_FORMS + NOTE_DEVICES + SESSION)
    assert tab.run(STATES) == []
    tab.ask_by_tapping()
    tab.expect_turn(1)
    [sent] = tab.run("return window.sent")
    assert (sent["name"], sent["file"]) == ("audio", file_name)
    assert sent["type"].startswith(kind)
    file = recorded(upstream)
    assert signature in file.bytes[:12]
    assert file.loudest() > 0.1
    assert tab.run(STATES) == ["ended"]
    assert tab.run("return window.told") == ["auto", "playback"]
    asked = tab.run("return window.asked")
    assert asked["audio"]["echoCancellation"] is True
    assert "video" not in asked
    tab.tap(until="Listening")
    assert tab.run(STATES) == ["ended", "live"]
    tab.stop()
    assert tab.run(STATES) == ["ended", "ended"]
