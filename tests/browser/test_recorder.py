"""What the microphone is asked for, and how its recording is named, browser by browser."""

import pytest
from browser.recorded import NOTE_FORMS, recorded

pytestmark = pytest.mark.system

BROWSERS = {
    # Firefox's own default is Ogg, which the service refuses; Chromium can do MP4, too.
    "others": (r"/webm|ogg|mp4/", "audio/webm", "recording.webm", b"\x1a\x45\xdf\xa3"),
    "safari": (r"/mp4/", "audio/mp4", "recording.mp4", b"ftyp"),
}


@pytest.mark.parametrize("name", BROWSERS)
def test_what_is_recorded_is_named(visit, serve, upstream, name):
    """By what the browser can record of what the service takes. Chromium stands in for all."""
    kinds, kind, file_name, signature = BROWSERS[name]
    can = f"MediaRecorder.isTypeSupported = (type) => {kinds}.test(type);"
    tab = visit(serve().url, script=can + NOTE_FORMS)
    tab.ask_by_tapping()
    tab.expect_turn(1)
    [sent] = tab.page.evaluate("window.sent")
    assert sent["name"] == "audio"
    assert sent["file"] == file_name
    assert sent["type"].startswith(kind)
    file = recorded(upstream)
    assert signature in file.bytes[:12]
    assert file.loudest() > 0.1


NOTE_DEVICES = """
window.tracks = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (asked) => {
  window.asked = asked;
  const stream = await open(asked);
  window.tracks.push(...stream.getTracks());
  return stream;
};
window.told = [];
Object.defineProperty(navigator, "audioSession", {
  value: { set type(type) { window.told.push(type); } },
});
"""
STATES = "window.tracks.map((track) => track.readyState)"


def test_the_microphone_is_given_back(visit, serve):
    """It is open while it listens, and at no other time; and is asked not to hear the page.

    An iPhone's ring switch does not silence the reply: its audio session is told of a playback, and
    not while the microphone is needed.
    """
    tab = visit(serve().url, script=NOTE_DEVICES)
    assert tab.page.evaluate(STATES) == []
    tab.ask_by_tapping()
    tab.expect_turn(1)
    assert tab.page.evaluate(STATES) == ["ended"]
    assert tab.page.evaluate("window.told") == ["auto", "playback"]
    asked = tab.page.evaluate("window.asked")
    assert asked["audio"]["echoCancellation"] is True
    assert "video" not in asked
    tab.tap()
    tab.expect_state("Listening")
    assert tab.page.evaluate(STATES) == ["ended", "live"]
    tab.page.keyboard.press("Escape")
    tab.expect_state("Ready")
    assert tab.page.evaluate(STATES) == ["ended", "ended"]
