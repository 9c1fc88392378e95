"""What is not heard: access for everyone, whatever they see, press and read."""

import pytest
from browser.speaking_upstream import hold_back, speak, write
from playwright.sync_api import expect
from testing.builders import KEY

pytestmark = pytest.mark.system
CONTRAST = """(text) => {
  const light = (colour) => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
    const [red, green, blue] = parts.map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const [ink, paper] = [light(getComputedStyle(text).color),
    light(getComputedStyle(document.body).backgroundColor)];
  return Math.max(ink, paper) / Math.min(ink, paper);
}"""
FOCUS = """(() => {
  const { activeElement: focused } = document;
  const word = focused.id === "talk" ? focused.querySelector("#talk-word") : null;
  const name = (focused.labels?.[0] ?? word ?? focused).textContent.trim();
  return [name, getComputedStyle(focused.closest("#choose") ?? focused).outlineStyle];
})()"""
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_violation(visit, serve, upstream, scheme, device):
    """In each state, with a failure, with a reply that was cut, and in Settings."""
    url = serve(PARLEY_KEY_REQUIRED="yes").url
    tab = visit(url, color_scheme=scheme, reduced_motion="reduce", **device)
    found = {"at first": tab.violations()}
    tab.tap(fails="An API key is needed")
    found["failed"] = tab.violations()
    with tab.settings() as page:
        page.get_by_label("API key").fill(KEY)
        tab.fold_hosts()
        tab.field("Reply", "Host").fill(upstream.url)
        found["in Settings"] = tab.violations()
        tab.field("Reply", "Host").fill("")
    tab.tap(until="Listening")
    found["listening"] = tab.violations()
    tab.button("Mute").click()
    found["muted"] = tab.violations()
    tab.press("Escape")
    upstream.answers["text"], go = hold_back(write(pause=0.3))
    tab.send(until="Waiting for the answer")
    found["thinking"] = tab.violations()
    upstream.answers["tts"] = speak(20)
    go.set()
    tab.expect_state("Speaking")
    found["speaking"] = tab.violations()
    tab.press("Escape")
    expect(tab.page.locator(".stopped")).to_be_visible()
    found["stopped"] = tab.violations()
    assert found == {state: [] for state in found}
    assert len(found) == 8
    narrow = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert tab.page.evaluate(narrow)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_was_not_heard_can_be_read_and_told_apart(visit, serve, upstream, scheme):
    """By who sees no colours, too, and by who hears the page; it is no text that was struck out."""
    tab = visit(serve().url, color_scheme=scheme)
    paper, ink = tab.page.evaluate(
        """["backgroundColor", "color"].map((name) =>
          Math.max(...getComputedStyle(document.body)[name].match(/\\d+/g).map(Number)))"""
    )
    assert (paper > ink) is (scheme == "light")
    upstream.answers["tts"] = speak(20)
    tab.send()
    expect(tab.page.locator(".heard")).to_contain_text("Paris is")
    tab.press("Escape")
    rest = tab.page.locator(".unheard")
    assert rest.evaluate(CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3
    style = "(rest) => { const it = getComputedStyle(rest); return [%s]; }"
    lines = rest.evaluate(style % "it.textDecorationLine, it.borderInlineStartStyle")
    assert lines == ["none", "dashed"]
    heard, rest = tab.page.locator(".heard").first.inner_text(), rest.inner_text()
    stopped = "The voice stopped here; the rest was not heard then."
    read = [line.removeprefix("- paragraph: ") for line in tab.replies.aria_snapshot().split("\n")]
    assert read == [heard.strip(), stopped, rest.strip()]


def test_forced_colours_show_the_button_and_its_state(visit, serve):
    """They take backgrounds away: Talk has an edge, and a ring where something goes on."""
    tab = visit(serve().url, forced_colors="active")
    for place in ("header", "footer"):
        colour = f"getComputedStyle(document.querySelector('{place}')).backgroundColor"
        assert not tab.page.evaluate(colour).endswith(", 0)")
    knob = "getComputedStyle(document.getElementById('converse'), '::before').forcedColorAdjust"
    assert tab.page.evaluate(knob) == "none"
    ring = "getComputedStyle(document.querySelector('.ring rect')).stroke"
    assert tab.talk.evaluate("(talk) => getComputedStyle(talk).borderTopWidth") == "2px"
    assert tab.page.evaluate(ring) == "none"
    tab.tap(until="Listening")
    assert tab.page.evaluate(ring) != "none"
    tab.press("Escape")


def test_only_states_and_failures_are_announced(talked):
    """A live reply would talk over the voice; headings lead from turn to turn."""
    expect(talked.page.get_by_role("log")).to_have_attribute("aria-live", "off")
    live = talked.page.locator("[aria-live]:not([aria-live=off]), [role=status], [role=alert]")
    # That it was cleared, that choices were forgotten, and that a field is full, too.
    expect(live).to_have_count(5)
    for name in ("You", "Reply"):
        expect(talked.page.get_by_role("heading", name=name, exact=True)).to_have_count(2)


def test_a_conversation_by_keyboard_alone(visit, serve, upstream):
    """Settings, Talk, Escape, and the reply once more; what has the focus is seen to have it."""
    upstream.answers["tts"] = speak(4)
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes").url)

    def choose(name, state=None):
        for _ in range(30):
            tab.press("Tab")
            focused, ring = tab.page.evaluate(FOCUS)
            if focused == name:
                break
        assert (focused, ring) == (name, "solid")
        tab.press("Enter")
        if state:
            tab.expect_state(state)

    choose("Settings")
    tab.page.keyboard.type(KEY)  # The dialog's first field has the focus.
    tab.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_be_hidden()
    choose("Talk", "Listening")
    choose("Mute", "Muted")
    tab.press("Enter")
    choose("Send", "Speaking")
    tab.stop()
    choose("Hear again", "Speaking")
    tab.stop()
    choose("Clear")
    expect(tab.said).to_have_count(0)
    choose("Send a file")


def test_text_runs_from_right_to_left_where_its_script_does(tab, upstream):
    """Each text by its own first letter, and its times begin where it does."""
    upstream.answers["text"] = write(["عاصمة فرنسا هي باريس. "])
    tab.ask(1)
    expect(tab.replies).to_contain_text("باريس")
    assert tab.replies.evaluate("(reply) => getComputedStyle(reply).direction") == "rtl"
    assert tab.said.evaluate("(said) => getComputedStyle(said).direction") == "ltr"
    right = "(one) => one.getBoundingClientRect().right"
    first = tab.page.locator(".timing .hear").first
    assert first.evaluate(right) == pytest.approx(tab.replies.evaluate(right))


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion_can_be_switched_off(visit, serve, upstream, motion):
    """Nothing is animated for whom motion disturbs; for others something moves."""
    tab = visit(serve().url, reduced_motion=motion)
    upstream.answers["text"], go = hold_back(write())
    upstream.answers["tts"] = speak(20)
    tab.send()
    moving = []
    for state in ("Waiting for the answer", "Speaking"):
        tab.expect_state(state)
        moving.append(tab.page.evaluate("document.getAnimations().length") > 0)
        go.set()
    assert moving == [motion != "reduce"] * 2
    tab.press("Escape")
