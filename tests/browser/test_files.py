"""What is dropped or chosen and is no recording: it is told in one sentence, or left alone."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.system


def test_what_comes_again_is_not_offered_again(tab, tmp_path):
    """A file that is no audio stays so."""
    (tmp_path / "words.wav").write_text("These are words.")
    tab.send(tmp_path / "words.wav")
    tab.expect_failure("This file is of no supported kind")
    expect(tab.page.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_first_question_that_fails_leaves_the_greeting(tab, tmp_path):
    """There is no conversation yet, and nothing to clear."""
    (tmp_path / "words.wav").write_text("These are words.")
    tab.send(tmp_path / "words.wav")
    tab.expect_failure("This file is of no supported kind")
    expect(tab.page.get_by_role("heading", name="Say something.")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Clear")).to_be_hidden()


def drag(tab, at, kinds, *, files=(), items=()):
    """Move files or text over the page from outside of the browser."""
    devtools = tab.page.context.new_cdp_session(tab.page)
    data = {"items": list(items), "files": list(files), "dragOperationsMask": 1}
    for kind in kinds:
        point = {"type": kind, "x": at[0], "y": at[1], "data": data}
        devtools.send("Input.dispatchDragEvent", point)


def test_text_is_dragged_into_a_field(tab):
    """It is no file: it lands in the field, and no file is asked for."""
    text = [{"mimeType": "text/plain", "data": "Rhyme."}]
    with tab.settings() as page:
        told = page.get_by_label("What the model is told first")
        box = told.bounding_box()
        at = (box["x"] + 20, box["y"] + 20)
        drag(tab, at, ["dragEnter", "dragOver"], items=text)
        expect(page.get_by_text("Drop it, and it is sent.")).to_be_hidden()
        drag(tab, at, ["drop"], items=text)
        expect(told).to_have_value("Rhyme.")


def test_a_folder_that_is_dropped(tab, upstream, tmp_path):
    """The connection is not to blame."""
    drag(tab, (400, 200), ["dragEnter", "dragOver", "drop"], files=[str(tmp_path)])
    tab.expect_failure("This file cannot be read: send another one.")
    expect(tab.page.get_by_role("button", name="Try again")).to_be_hidden()
    assert upstream.requests == []


def test_a_recording_that_is_too_large_is_not_sent(tab, upstream, tmp_path):
    """By the service's bound: 25 MB."""
    with (tmp_path / "long.wav").open("wb") as file:
        file.truncate(26_214_401)
    sent = []
    tab.page.on("request", lambda request: sent.append(request.url))
    tab.send(tmp_path / "long.wav")
    tab.expect_failure("The recording is too large")
    assert sent == []
