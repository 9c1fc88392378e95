"""What is in sight while a conversation grows, at its end, and after the page was left."""

import time

import pytest
from browser.conftest import ALLOWED, MICROPHONE
from browser.speaking_upstream import REPLY, SENTENCES, hear, refuse, speak, write
from playwright.sync_api import expect

pytestmark = pytest.mark.system
FORTY = [f"This is sentence number {number}. " for number in range(40)]
LOW = {"width": 800, "height": 500}
FONTS = ["sans-serif", "monospace"]  # As narrow and as wide as fonts are.
SCROLLED = """(({ scrollTop, scrollHeight, clientHeight }) =>
  [scrollTop, scrollHeight - clientHeight - scrollTop])(document.documentElement)"""
# Notes where the spoken line was while it was not in sight; `far` is how much was heard.
WATCH = """window.away = [];
window.far = () => [...document.querySelectorAll(".heard")].map(
  (one) => one.textContent).join("").length;
setInterval(() => {
  const last = [...document.querySelectorAll(".heard:not(:empty)")].at(-1);
  const { bottom } = [...(last?.getClientRects() ?? [])].at(-1) ?? { bottom: 1 };
  if (bottom < 0 || bottom > innerHeight) away.push(bottom);
}, 50);"""


def test_the_end_of_the_conversation_stays_in_sight(talked, upstream):
    """Unless the user looks at something above it."""
    talked.page.set_viewport_size(LOW)
    upstream.answers["text"] = write(FORTY, pause=0.15)
    talked.send()
    expect(talked.replies.last).to_contain_text("number 20")
    above, below = talked.page.evaluate(SCROLLED)
    assert above > 0
    assert below < 100
    talked.page.mouse.move(400, 100)
    for _ in range(5):  # What comes just before the page hears of a turn of the wheel undoes it.
        talked.page.mouse.wheel(0, -2000)
    talked.page.wait_for_function(f"() => {SCROLLED}[0] === 0")
    expect(talked.replies.last).to_contain_text("number 30")
    assert talked.page.evaluate(SCROLLED)[0] == 0
    talked.press("Escape")


def test_what_is_heard_stays_in_sight(tab, upstream):
    """A long reply is written much faster than it is spoken; who reads ahead is not called back."""
    tab.page.set_viewport_size(LOW)
    upstream.answers.update(text=write(FORTY * 2, pause=0.02), tts=speak(2))
    tab.send(until="Speaking")
    expect(tab.replies).to_contain_text("number 39. This is sentence number 0")
    expect(tab.page.locator(".heard")).to_contain_text("number 3")
    tab.page.wait_for_function(
        """() => {
          const { bottom } = document.querySelector(".heard").getBoundingClientRect();
          return 0 < bottom && bottom < innerHeight / 2;
        }"""
    )
    assert tab.page.evaluate(SCROLLED)[1] > 300
    tab.page.mouse.move(400, 100)
    tab.page.mouse.wheel(0, 5000)
    tab.page.wait_for_function(f"() => {SCROLLED}[1] < 5")
    before = tab.page.locator(".heard").inner_text()
    tab.page.wait_for_function(
        "(before) => document.querySelector('.heard').textContent.length > before.length + 20",
        arg=before,
    )
    assert tab.page.evaluate(SCROLLED)[1] < 5
    tab.press("Escape")


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("end", ["by itself", "by Escape"])
def test_what_can_be_done_with_a_reply_is_in_sight_at_its_end(talked, upstream, end, font):
    """And not below what stays at the window's bottom, whatever the fonts."""
    talked.page.set_viewport_size({"width": 800, "height": 506})
    talked.set_font(font)
    # As many lines whatever the font.
    upstream.answers["text"] = write(["Paris is old, and nobody knows why.\n- One\n- Two"])
    upstream.answers["tts"] = speak(0.1 if end == "by itself" else 20)
    talked.send()
    expect(talked.said).to_have_count(3)
    if end == "by Escape":
        heard = talked.page.locator(".turn").nth(2).locator(".heard").first
        expect(heard).to_contain_text(SENTENCES[0][:5])
        talked.press("Escape")
    talked.expect_turn(3)
    if end == "by Escape":
        expect(talked.page.get_by_text("The voice stopped here")).to_be_in_viewport()
    assert is_above_the_footer(talked, "Hear again")


def is_above_the_footer(tab, name):
    """Whether nothing of the last such button is below what stays at the bottom."""
    button, footer = tab.button(name).last.bounding_box(), tab.page.locator("footer").bounding_box()
    return button["y"] + button["height"] <= footer["y"] + 1


def test_a_failure_covers_nothing_of_the_conversation(talked, upstream):
    """It takes room, and the end moves up."""
    talked.page.set_viewport_size(LOW)
    upstream.answers["text"] = write(FORTY)
    upstream.answers["tts"] = refuse("400 Bad Request")
    talked.send(fails="Text to speech: The AI service")
    assert is_above_the_footer(talked, "Copy")


def test_a_page_that_was_left_comes_back_with_its_conversation(visit, launch, serve, upstream):
    """Whatever went on ends as it is left: it gives the microphone back, and speaks to nobody."""
    browser = launch(*MICROPHONE, ALLOWED, keeps_pages=True)
    tab = visit(serve().url, browser=browser)
    upstream.answers["tts"] = speak(0.1)
    tab.ask(1)
    tab.tap()
    leave_and_come_back(tab, "Listening", turns=1, stopped=0)
    upstream.answers["tts"] = speak(20)
    tab.send()
    leave_and_come_back(tab, "Speaking", turns=2, stopped=1)
    upstream.answers.update(stt=refuse("400 Bad Request"), tts=speak(0.1))
    tab.send(fails="Speech to text: The AI service")
    upstream.answers["stt"] = hear
    doubted = "Another try may fail"
    leave_and_come_back(tab, doubted, turns=2, stopped=1, rest=doubted)
    tab.expect_failure("Speech to text: The AI service")
    tab.button("Try again").click()
    tab.expect_turn(3)


def leave_and_come_back(tab, state, *, turns, stopped, rest="Ready"):
    """As by a link and the browser's button; Playwright's own `go_back` waits for a new page."""
    tab.expect_state(state)
    time.sleep(1)
    tab.page.evaluate("setTimeout(() => { location.href = '/healthz'; })")
    tab.page.wait_for_url("**/healthz")
    tab.page.evaluate("setTimeout(() => { history.back(); })")
    tab.page.wait_for_function("() => document.getElementById('talk')")
    tab.expect_state(rest)
    assert tab.replies.first.inner_text() == REPLY
    expect(tab.said).to_have_count(turns)
    expect(tab.page.locator(".stopped")).to_have_count(stopped)


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
