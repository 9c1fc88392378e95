"""Where things stand: in sight, and not over one another, in any window and with any fonts."""

from itertools import combinations, product

import pytest
from browser.speaking_upstream import hold_back, refuse, speak, write
from playwright.sync_api import expect

pytestmark = pytest.mark.system


@pytest.mark.parametrize(("width", "height"), [(320, 256), (640, 320), (640, 400)])
def test_a_low_window_leaves_room_to_read(visit, serve, width, height):
    """A phone on its side, or a page at 200 % or 400 %: what sticks there takes less than half."""
    tab = visit(serve().url, viewport={"width": width, "height": height})
    footer = tab.page.get_by_role("contentinfo").bounding_box()
    assert footer["height"] < 0.45 * height
    if height > 300:
        expect(tab.page.get_by_text("Or tap it once to begin")).to_be_in_viewport()
    tab.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    footer = tab.page.get_by_role("contentinfo").bounding_box()
    assert footer["y"] + footer["height"] == pytest.approx(height, abs=2)


COVERED = """(one) => {
  const { left, top, width, height } = one.getBoundingClientRect();
  return !one.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}"""


@pytest.mark.parametrize(
    ("size", "letters"),
    [*product([(320, 180), (320, 256), (844, 390), (320, 568)], [1]), ((360, 640), 2)],
)
def test_a_long_failure_leaves_the_state_and_talk_in_sight(visit, serve, upstream, size, letters):
    """At 400 %, or with letters twice as large: it is read from its beginning, and scrolls.

    Settings, which it names first, stand before another try.
    """
    tab = visit(serve().url, viewport=dict(zip(("width", "height"), size, strict=True)))
    upstream.answers["tts"] = refuse("400 Bad Request", "Too long a story, see the page. " * 9)
    if letters == 2:
        tab.page.evaluate(ENLARGE)
    tab.send(fails="Text to speech: The AI service refused the request")
    tab.page.wait_for_timeout(500)  # Until it has room.
    top = tab.alert.evaluate("(alert) => alert.getBoundingClientRect().top")
    assert 0 <= top < size[1] / 2
    for place in ("#status", "#talk"):
        expect(tab.page.locator(place)).to_be_in_viewport(ratio=0.99 if letters == 1 else 0)
    assert tab.text_of("#failure button") == "Open Settings"
    for name in ("Open Settings", "Ask again"):
        expect(tab.button(name)).to_be_in_viewport(ratio=0.99)
        assert tab.button(name).evaluate(COVERED) is False


@pytest.mark.parametrize("width", [360, 1280])
def test_what_can_be_saved_is_offered_below_save(visit, serve, width):
    """And within the window."""
    tab = visit(serve().url, viewport={"width": width, "height": 640})
    tab.ask(1)
    save = tab.button("Save")
    save.click()
    button, menu = (one.bounding_box() for one in (save, tab.page.locator("#export")))
    assert 0 <= menu["x"] <= width - menu["width"]
    assert menu["x"] < button["x"] + button["width"] / 2 < menu["x"] + menu["width"]
    assert 0 <= menu["y"] - button["y"] - button["height"] < 20


# As browsers enlarge the text alone: no other length grows, and no window becomes narrower.
ENLARGE = """() => {
  const all = [...document.body.querySelectorAll("*")];
  const sizes = all.map((one) => getComputedStyle(one).fontSize);
  for (const [index, { style }] of all.entries()) style.fontSize = `calc(2 * ${sizes[index]})`;
}"""
WINDOWS = [(260, 563), (320, 568), (360, 640), (844, 390), (1280, 800)]


@pytest.mark.parametrize(
    ("window", "font"),
    [
        *product(WINDOWS, ["serif", "monospace"]),
        *product([(390, 844), (1280, 800)], ["twice as large"]),
    ],
)
def test_nothing_lies_over_anything_and_all_can_be_touched(visit, serve, upstream, window, font):
    """Whatever window and fonts: what stays is in sight, apart, and as large as a finger."""
    script = """() => {
      const seen = [...document.querySelectorAll("button, summary, #status, #how, h1")].filter(
        (one) => one.checkVisibility({ visibilityProperty: true }) && one.textContent.trim());
      return seen.map((one) => {
        const { left, right, top, bottom } = one.getBoundingClientRect();
        const target = one.matches("button:not(.link), summary");
        return { what: one.textContent.trim(), left, right, top, bottom, target,
          stays: one.closest("header, footer") !== null };
      });
    }"""
    width, height = window
    tab = visit(serve().url, viewport={"width": width, "height": height})
    tab.set_font(font)
    upstream.answers["tts"] = speak(0.1)
    tab.ask(1)
    if font == "twice as large":
        tab.page.evaluate(ENLARGE)
    tab.tap()
    for state in ("Listening", "Ready"):
        tab.expect_state(state)
        places = tab.page.evaluate(script)
        for place in places:
            assert 0 <= place["left"] <= place["right"] <= width, place
            assert not place["stays"] or 0 <= place["top"] <= place["bottom"] <= height, place
            if place["target"]:
                size = min(place["right"] - place["left"], place["bottom"] - place["top"])
                assert size >= 43.9, place
        staying = [place for place in places if place["stays"]]
        for one, other in combinations(staying, 2):
            apart = [one["right"] <= other["left"] + 1, other["right"] <= one["left"] + 1]
            apart += [one["bottom"] <= other["top"] + 1, other["bottom"] <= one["top"] + 1]
            assert any(apart), (one, other)
        talk = tab.talk.bounding_box()
        assert talk["x"] + talk["width"] / 2 == pytest.approx(width / 2, abs=12)
        tab.press("Escape")


@pytest.mark.parametrize(("width", "height"), [(320, 256), (800, 506)])
def test_what_has_the_focus_is_not_below_what_stays(talked, width, height):
    """Though a browser takes what lies there for seen: WCAG 2.2, 2.4.11."""
    script = """() => {
      const { activeElement: focused } = document;
      const [{ bottom }, { top }] = [focused, document.querySelector("#status")].map(
        (one) => one.getBoundingClientRect());
      return [focused.dataset.action ?? "", top - bottom];
    }"""
    talked.page.set_viewport_size({"width": width, "height": height})
    talked.page.evaluate("scrollTo(0, 0)")
    seen = []
    for _ in range(14):
        talked.page.keyboard.press("Tab")
        action, above = talked.page.evaluate(script)
        if action:
            seen.append(action)
            assert above > 0, action
    assert seen == ["replay", "save", "copy"] * 2


@pytest.mark.parametrize(("width", "height"), [(320, 180), (844, 390)])
def test_done_is_always_in_sight(visit, serve, width, height):
    """However low the window is, and however much is unfolded; what has the focus is above it."""
    tab = visit(serve().url, viewport={"width": width, "height": height})
    with tab.settings() as page:
        done = page.get_by_role("button", name="Done")
        for _ in range(7):  # To the last before it.
            expect(done).to_be_in_viewport(ratio=1)
            page.keyboard.press("Tab")
            script = """() => document.querySelector(".done").getBoundingClientRect().top
              - document.activeElement.getBoundingClientRect().bottom"""
            assert page.evaluate(script) >= 0


def test_the_ring_widens_nothing(visit, serve, upstream):
    """While it turns, no scrollbar comes and goes."""
    tab = visit(serve().url, viewport={"width": 500, "height": 700})
    upstream.answers["text"], go = hold_back(write())
    tab.send(until="Waiting for the answer")
    over = """({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
      Math.max(scrollWidth - clientWidth, scrollHeight - clientHeight)"""
    for _ in range(8):
        assert tab.page.locator("html").evaluate(over) == 0
        tab.page.wait_for_timeout(100)
    go.set()
    tab.press("Escape")


def test_a_failure_at_400_percent_can_be_scrolled_away(visit, serve):
    """It fills a window of 256 pixels; what is above it can still be read."""
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes").url, viewport={"width": 320, "height": 256})
    tab.tap(fails="An API key is needed")
    expect(tab.alert).to_be_in_viewport(ratio=1)
    tab.page.mouse.move(160, 100)
    tab.page.mouse.wheel(0, -2000)
    expect(tab.page.get_by_text("Or tap it once to begin")).to_be_in_viewport()
    expect(tab.alert).not_to_be_in_viewport()


def test_the_loudest_ring_has_room(visit, serve):
    """On a phone, too: it touches no words beside it."""
    tab = visit(serve().url, viewport={"width": 390, "height": 844})
    tab.page.get_by_role("switch", name="Conversation").click()
    tab.expect_state("Listening")
    ring, switch = (tab.page.locator(place).bounding_box() for place in (".ring", "#converse"))
    assert switch["x"] + switch["width"] <= ring["x"]
    with tab.settings() as page:
        expect(page.get_by_text("Meanwhile: ")).to_be_visible()
    invitation = tab.page.get_by_role("heading", name="Say something.")
    expect(invitation).to_be_visible()
    tab.tap(until="Paused; the microphone is closed")
    expect(invitation).to_be_hidden()
    tab.press("Escape")


def test_code_that_is_wider_than_the_window_shows_that_it_scrolls(tab, upstream):
    """Beside its last letter there is as much room as beside its first."""
    upstream.answers["text"] = write([f"```\n{'wide ' * 60}end\n```\n"])
    tab.send()
    code = tab.page.locator("pre")
    expect(code).to_contain_text("end")
    assert "local" in code.evaluate("(code) => getComputedStyle(code).backgroundAttachment")
    room = """(code) => {
      code.scrollLeft = code.scrollWidth;
      const [right, end] = [code, code.firstElementChild].map(
        (one) => one.getBoundingClientRect().right);
      return [right - end, parseFloat(getComputedStyle(code).paddingLeft)];
    }"""
    right, left = code.evaluate(room)
    assert right == pytest.approx(left, abs=1)
    tab.press("Escape")


def test_large_letters_leave_the_full_stop_and_the_hint(visit, serve):
    """No sign stands alone on a line, and what to press is told where the greeting is cut."""
    tab = visit(serve().url, viewport={"width": 390, "height": 844})
    tab.page.evaluate(ENLARGE)
    expect(tab.page.get_by_text("Hold Talk while you speak, or tap it.")).to_be_visible()
    heading = tab.page.get_by_role("heading", name="Say something.")
    tops = """({ firstChild: text }) => [text.length - 2, text.length - 1].map((at) => {
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + 1);
      return range.getBoundingClientRect().top;
    })"""
    before, stop = heading.evaluate(tops)
    assert before == stop
