"""What is dropped or chosen and is not one recording: a sentence tells of it, if it matters."""

import time

import pytest
from browser.recorded import recorded
from browser.speaking_upstream import QUESTION, hear, hold_back, refuse
from browser.test_scrolling import is_above_the_footer
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
OVER = ["dragEnter", "dragOver"]
DROPPED = [*OVER, "drop"]


def drag(tab, at, kinds, *, files=(), items=()):
    """Move files or text over the page from outside of the browser."""
    devtools = tab.page.context.new_cdp_session(tab.page)
    data = {"items": list(items), "files": list(files), "dragOperationsMask": 1}
    for kind in kinds:
        point = {"type": kind, "x": at[0], "y": at[1], "data": data}
        devtools.send("Input.dispatchDragEvent", point)


def test_what_cannot_be_sent_is_not(tab, upstream, tmp_path):
    """A folder is not the connection's fault; a file may have the service's bound, 25 MB."""
    again = tab.button("Try again")
    drag(tab, (400, 200), DROPPED, files=[str(tmp_path)])
    tab.expect_failure("This file cannot be read: send another one.")
    expect(again).to_be_hidden()
    sent = []
    tab.page.on("request", lambda request: sent.append(request.url))
    with (tmp_path / "long.wav").open("wb") as file:
        file.truncate(26_214_401)
    tab.send(tmp_path / "long.wav", fails="This file is too large: send one of at most 25 MB.")
    expect(again).to_be_hidden()
    assert sent == upstream.requests == []


@pytest.mark.parametrize("name", ["question.wav", "QUESTION.MPEG"])
def test_one_recording_is_sent_of_files_that_are_dropped_together(tab, upstream, tmp_path, name):
    """The first that is one, and a sentence says what to do with the others."""
    files = [tmp_path / other for other in ("notes.txt", name, "second.wav")]
    for file in files:
        file.write_text("These are words.")
    files[1].write_bytes(QUESTION.read_bytes())
    drag(tab, (400, 200), OVER, files=[str(file) for file in files])
    expect(tab.page.get_by_text("One file is sent at a time")).to_be_visible()
    drag(tab, (400, 200), ["drop"], files=[str(file) for file in files])
    expect(tab.said).to_have_text(TRANSCRIPT)
    assert recorded(upstream).bytes == QUESTION.read_bytes()
    sentence = f"sent at a time: drop the next one after the reply to {name}."
    expect(tab.page.get_by_text(sentence)).to_be_visible()
    tab.expect_turn(1)
    expect(tab.page.get_by_text(sentence)).to_be_visible()
    assert len([request for request in upstream.requests if request.stage == "stt"]) == 1


def test_a_word_without_an_end_does_not_widen_the_page(tab, upstream, tmp_path):
    """The name of a file, or what an upstream says: it is broken where the line ends."""
    tab.page.set_viewport_size({"width": 360, "height": 640})
    upstream.answers["stt"] = refuse("400 Bad Request", "x" * 150)
    file = tmp_path / f"{'y' * 150}.wav"
    file.write_bytes(QUESTION.read_bytes())
    drag(tab, (200, 100), DROPPED, files=[str(file), str(QUESTION)])
    tab.expect_failure("Speech to text: The AI service")
    expect(tab.page.locator(".note")).to_be_visible()
    for text in (tab.page.locator(".note"), tab.alert):
        assert text.evaluate("({ scrollWidth, clientWidth }) => scrollWidth - clientWidth") == 0
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tab.page.evaluate(wide) == 0


def test_nothing_is_sent_behind_settings(tab, upstream):
    """The page is not offered for a drop while they cover it; text lands in the field.

    Once they are closed, a file can be dropped anywhere, from outside of the browser.
    """
    text = [{"mimeType": "text/plain", "data": "Rhyme."}]
    hint = tab.page.get_by_text("Drop it, and it is sent.")
    with tab.settings() as page:
        told = page.get_by_label("What the model is told first")
        box = told.bounding_box()
        field = (box["x"] + 20, box["y"] + 20)
        for at in ((20, 20), field):
            drag(tab, at, OVER, files=[str(QUESTION)])
            expect(hint).to_be_hidden()
            drag(tab, at, ["drop"], files=[str(QUESTION)])
            time.sleep(1)
            expect(page.get_by_role("dialog")).to_be_visible()
        drag(tab, field, OVER, items=text)
        expect(hint).to_be_hidden()
        drag(tab, field, ["drop"], items=text)
        expect(told).to_have_value("Rhyme.")
    tab.expect_state("Ready")
    assert upstream.requests == []
    assert tab.page.url.startswith(tab.origin)
    drag(tab, (400, 200), OVER, files=[str(QUESTION)])
    expect(hint).to_be_visible()
    drag(tab, (400, 200), ["drop"], files=[str(QUESTION)])
    expect(hint).to_be_hidden()
    tab.expect_turn(1)
    assert recorded(upstream).bytes == QUESTION.read_bytes()
    expect(tab.page.locator(".note")).to_have_count(0)  # One file is what is expected.


@pytest.mark.parametrize("size", [(800, 600), (320, 180)], ids=["a window", "400 percent"])
def test_what_has_no_transcript_leaves_what_was_cleared(talked, upstream, tmp_path, size):
    """Nothing was said: all of it can still come back, and the offer is in sight."""
    talked.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    undo = talked.button("Undo")
    talked.button("Clear").click()
    expect(undo).to_be_in_viewport(ratio=1)
    assert is_above_the_footer(talked, "Undo")
    (tmp_path / "words.wav").write_text("These are words.")
    talked.send(tmp_path / "words.wav")
    talked.expect_failure("What this file holds is no audio of a supported kind")
    expect(talked.page.get_by_role("heading", name="Say something.")).to_be_visible()
    for name in ("Try again", "Clear"):
        expect(talked.button(name)).to_be_hidden()
    upstream.answers["stt"], _ = hold_back(hear)
    talked.send(until="Waiting for the transcript")
    talked.button("Clear").click()  # Nothing is lost by it.
    undo.click()
    talked.expect_turn(2)
    assert talked.saved("As text").count(TRANSCRIPT) == 2
    talked.reload()
    talked.send(until="Waiting for the transcript")
    talked.button("Clear").click()
    expect(undo).to_be_hidden()
