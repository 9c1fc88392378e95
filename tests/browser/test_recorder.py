"""What the microphone is asked for, and how its recording is named, browser by browser."""

import pytest
from browser.recorded import NOTE_FORMS, recorded

pytestmark = pytest.mark.system

BROWSERS = {
    "chromium": (r"/webm|mp4/", "audio/webm", "recording.webm", b"\x1a\x45\xdf\xa3"),
    # Its own default is Ogg, which the service refuses.
    "firefox": (r"/webm|ogg/", "audio/webm", "recording.webm", b"\x1a\x45\xdf\xa3"),
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


def test_the_microphone_does_not_hear_the_page(visit, serve):
    """Echo cancellation is asked for."""
    note = """
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (asked) => { window.asked = asked; return open(asked); };
    """
    tab = visit(serve().url, script=note)
    tab.tap()
    tab.expect_state("Listening")
    asked = tab.page.evaluate("window.asked")
    assert asked["audio"]["echoCancellation"] is True
    assert "video" not in asked
    tab.page.keyboard.press("Escape")


def test_the_microphone_is_given_back(visit, serve):
    """It is open while it listens, and at no other time."""
    note = """
    window.tracks = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (asked) => {
      const stream = await open(asked);
      window.tracks.push(...stream.getTracks());
      return stream;
    };
    """
    tab = visit(serve().url, script=note)
    states = "window.tracks.map((track) => track.readyState)"
    assert tab.page.evaluate(states) == []
    tab.ask_by_tapping()
    tab.expect_turn(1)
    assert tab.page.evaluate(states) == ["ended"]
    tab.tap()
    tab.expect_state("Listening")
    assert tab.page.evaluate(states) == ["ended", "live"]
    tab.page.keyboard.press("Escape")
    tab.expect_state("Ready")
    assert tab.page.evaluate(states) == ["ended", "ended"]


def test_an_iphones_ring_switch_does_not_silence_the_reply(visit, serve):
    """Its audio session is told of a playback, and not while the microphone is needed."""
    note = """
    window.told = [];
    Object.defineProperty(navigator, "audioSession", {
      value: { set type(type) { window.told.push(type); } },
    });
    """
    tab = visit(serve().url, script=note)
    tab.ask_by_tapping()
    tab.expect_turn(1)
    assert tab.page.evaluate("window.told") == ["auto", "playback"]
