"""The page as people use it: talk, hear, interrupt, hear again."""

import time
import wave

import pytest
from browser.speaking_upstream import SENTENCES, TONE_SECONDS, speak, told, write
from browser.tab import QUESTION_SECONDS
from playwright.sync_api import expect
from testing.builders import ROOT
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
QUESTION = ROOT / "examples" / "question.wav"
REPLY = "".join(SENTENCES)


def test_a_tapped_question_is_answered_aloud_without_a_gap(tab, ear):
    """Every sample of both segments leaves the speaker, with nothing between them."""
    with ear.listening() as recording:
        tab.ask_by_tapping()
        tab.expect_state("Speaking")
        tab.expect_state("Ready")
        time.sleep(0.5)
    expect(tab.said).to_have_text(TRANSCRIPT)
    expect(tab.replies).to_have_text(REPLY)
    sounding = recording.moments().count(True) / 50
    assert sounding == pytest.approx(len(SENTENCES) * TONE_SECONDS, abs=0.2)
    assert recording.longest_gap() < 0.05
    assert tab.errors == []
    assert tab.hosts == {tab.origin.removeprefix("http://")}


def test_what_is_recorded_is_webm(tab, upstream):
    """The recorder's kind is named, since a browser's own default may be one that is refused."""
    tab.ask_by_tapping()
    expect(tab.replies).to_have_text(REPLY)
    [heard] = [request for request in upstream.requests if request.stage == "stt"]
    assert b"\x1a\x45\xdf\xa3" in heard.body


@pytest.mark.parametrize("hold", ["pointer", "space"])
def test_holding_talks(tab, hold):
    """The button or the space bar, for as long as one speaks."""
    if hold == "pointer":
        tab.talk.hover()
        tab.page.mouse.down()
    else:
        tab.page.keyboard.down(" ")
    tab.expect_state("Listening")
    time.sleep(QUESTION_SECONDS)
    if hold == "pointer":
        tab.page.mouse.up()
    else:
        tab.page.keyboard.up(" ")
    expect(tab.said).to_have_text(TRANSCRIPT)
    tab.expect_state("Ready")


def test_enter_on_the_button_taps(tab):
    """As assistive technology presses it."""
    tab.talk.focus()
    tab.page.keyboard.press("Enter")
    tab.expect_state("Listening")
    tab.page.keyboard.press("Enter")
    expect(tab.said).to_have_text(TRANSCRIPT)


def test_space_in_a_field_is_a_space(tab):
    """The space bar talks outside of controls only."""
    tab.page.get_by_role("button", name="Settings").click()
    field = tab.page.get_by_label("What the model is told first")
    field.press_sequentially("Be brief")
    expect(field).to_have_value("Be brief")
    tab.expect_state("Ready")


def test_silence_ends_a_tap_where_that_is_switched_on(tab):
    """Nobody has to press a second time."""
    tab.page.get_by_role("button", name="Settings").click()
    tab.page.get_by_label("1.5 seconds of silence").check()
    tab.page.get_by_role("button", name="Done").click()
    tab.talk.click()
    tab.expect_state("Listening")
    expect(tab.said).to_have_text(TRANSCRIPT)


def test_a_muted_microphone_hears_nothing(tab):
    """While it is muted, the state says so."""
    tab.talk.click()
    tab.expect_state("Listening")
    tab.page.get_by_role("button", name="Mute").click()
    tab.expect_state("Muted")
    expect(tab.page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    tab.page.keyboard.press("Escape")
    tab.expect_state("Ready")


@pytest.mark.parametrize("stop", ["Escape", "Talk"])
def test_the_sound_stops_at_once_and_the_model_is_told_what_was_heard(tab, ear, upstream, stop):
    """After Escape or Talk nothing is heard, and the next turn's history ends there."""
    upstream.answers["tts"] = speak(15)
    with ear.listening() as recording:
        tab.send(QUESTION)
        tab.expect_state("Speaking")
        time.sleep(3)
        pressed = time.monotonic()
        if stop == "Escape":
            tab.page.keyboard.press("Escape")
        else:
            tab.page.keyboard.press(" ")
        time.sleep(2)
    assert recording.last_sound() - pressed < 1
    heard = tab.page.locator(".heard").inner_text()
    assert 0 < len(heard) < len(SENTENCES[0])
    assert REPLY.startswith(heard)
    upstream.answers["tts"] = speak(0.2)
    tab.send(QUESTION)
    expect(tab.replies).to_have_count(2)
    tab.expect_state("Ready")
    assert told(upstream)[1] == [
        ("user", TRANSCRIPT),
        ("assistant", heard.strip()),
        ("user", TRANSCRIPT),
    ]


def test_a_conversation_goes_on_until_it_is_cleared(tab, upstream):
    """Each turn tells the model of those before it; Clear forgets them."""
    upstream.answers["tts"] = speak(0.2)
    for turn in (1, 2):
        tab.send(QUESTION)
        expect(tab.said).to_have_count(turn)
        tab.expect_state("Ready")
    tab.page.get_by_role("button", name="Clear").click()
    expect(tab.said).to_have_count(0)
    tab.send(QUESTION)
    expect(tab.said).to_have_count(1)
    tab.expect_state("Ready")
    first = [("user", TRANSCRIPT)]
    assert told(upstream) == [first, [*first, ("assistant", REPLY), *first], first]


def test_the_last_reply_can_be_heard_again_and_saved(tab, ear, tmp_path):
    """The same samples leave once more, and stand in the file."""
    tab.send(QUESTION)
    tab.expect_state("Speaking")
    tab.expect_state("Ready")
    with ear.listening() as recording:
        tab.page.get_by_role("button", name="Hear again").click()
        tab.expect_state("Speaking")
        tab.expect_state("Ready")
        time.sleep(0.5)
    seconds = len(SENTENCES) * TONE_SECONDS
    assert recording.moments().count(True) / 50 == pytest.approx(seconds, abs=0.2)
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Save as WAV").click()
    download.value.save_as(tmp_path / "reply.wav")
    with wave.open(str(tmp_path / "reply.wav")) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        assert file.getnframes() == 24_000 * seconds


def test_a_picture_shows_the_time_of_each_turn(tab, upstream):
    """Stages and segments as bars; in words for who cannot see them."""
    upstream.answers["text"] = write(pause=0.5)
    tab.send(QUESTION)
    picture = tab.page.get_by_role("img", name="all of its 2 segments after")
    expect(picture).to_be_visible()
    for kind, count in {"hear": 1, "think": 1, "speak": 2}.items():
        expect(picture.locator(f".{kind}")).to_have_count(count)


def test_a_conversation_that_grew_too_long_loses_its_oldest_turns_and_says_so(tab, upstream):
    """By the service's bounds: 256 KB of history."""
    upstream.answers["tts"] = speak(0.01)
    upstream.answers["text"] = write(["a" * 90_000])
    for turn in (1, 2, 3, 4):
        tab.send(QUESTION)
        expect(tab.said).to_have_count(turn)
        tab.expect_state("Ready")
    expect(tab.page.get_by_text("its oldest turns are no longer sent")).to_be_visible()
    assert len(told(upstream)[-1]) < 7
