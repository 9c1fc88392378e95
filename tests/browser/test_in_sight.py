"""What is read stays in sight: the line that is spoken, and a reply that has ended."""

import time

import pytest
from browser.speaking_upstream import speak, write

pytestmark = pytest.mark.system
# Notes where the spoken line was while it was not in sight; `far` is how much was heard.
WATCH = """window.away = [];
window.far = () => [...document.querySelectorAll(".heard")].map(
  (one) => one.textContent).join("").length;
setInterval(() => {
  const last = [...document.querySelectorAll(".heard:not(:empty)")].at(-1);
  const { bottom } = [...(last?.getClientRects() ?? [])].at(-1) ?? { bottom: 1 };
  if (bottom < 0 || bottom > innerHeight) away.push(bottom);
}, 50);"""


def test_the_spoken_line_stays_in_sight(engine, upstream):
    """In a reply that is longer than the window; as it is stopped, nothing moves."""
    sentences = [f"This is sentence number {number}. " for number in range(120)]
    upstream.answers.update(text=write(sentences, pause=0.02), tts=speak(0.4))
    engine.run(WATCH)
    engine.send()
    deadline = time.monotonic() + 90
    while engine.run("return far()") < 1200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert engine.run("return away") == []
    before = engine.run("return document.documentElement.scrollTop")
    engine.press("Escape")
    time.sleep(0.5)
    assert engine.run("return document.documentElement.scrollTop") - before < 60
    place = engine.run("return document.querySelector('.stopped').getBoundingClientRect().top")
    assert 0 < place < engine.run("return innerHeight")


@pytest.mark.parametrize(("width", "height"), [(844, 390), (640, 360), (320, 180)])
def test_a_low_window_keeps_its_reply(visit, serve, width, height):
    """When it ends, its times may lie below; and a field of Settings is seen with its label."""
    tab = visit(serve().url, viewport={"width": width, "height": height})
    tab.send()
    tab.expect_turn(1)
    tab.page.wait_for_timeout(300)  # Until it has scrolled.
    header, reply, footer = (
        tab.page.locator(place).bounding_box() for place in ("header", ".reply", "footer")
    )
    top = max(reply["y"], header["y"] + header["height"])
    assert min(reply["y"] + reply["height"], footer["y"]) - top >= min(reply["height"], 55) - 1
    tab.page.get_by_role("button", name="Settings", exact=True).click()
    tab.page.keyboard.press("Tab")
    label, field = (tab.page.locator(f"#voice-row {part}") for part in ("label", "input"))
    form, above, below = (one.bounding_box() for one in (tab.page.locator("dialog"), label, field))
    assert form["y"] <= above["y"] < below["y"] + below["height"] <= form["y"] + form["height"]
