"""How people talk to the page: hold, tap, drop a file, mute, and be heard."""

import time

import pytest
from browser.recorded import recorded
from browser.speaking_upstream import hear, hold_back, speak, write
from browser.tab import QUESTION_SECONDS
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Press:
    """Presses what is there, for as long as it says: a busy machine takes longer to press it."""

    def __init__(self, tab, kind, place):
        box = place.bounding_box()
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        finger = {"touchPoints": [at]}
        button = {**at, "button": "left", "clickCount": 1}
        space = {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32, "text": " "}
        self._devtools = tab.page.context.new_cdp_session(tab.page)
        self._kind, down, up, what, then = {
            "mouse": ("Mouse", "mousePressed", "mouseReleased", button, button),
            "finger": ("Touch", "touchStart", "touchEnd", finger, {"touchPoints": []}),
            "space": ("Key", "keyDown", "keyUp", space, space),
        }[kind]
        self._down, self._up = {"type": down, **what}, {"type": up, **then}
        self._since = 0.0

    def down(self):
        self._since = time.time()
        self._send(self._down, 0)

    def up(self, after):
        """Let it go so many seconds after it was pressed."""
        self._send(self._up, after)

    def taps(self, *starts):
        """Tap it so many seconds from now."""
        self._since = time.time()
        for start in starts:
            self._send(self._down, start)
            self._send(self._up, start + 0.05)

    def _send(self, event, after):
        event = {**event, "timestamp": self._since + after}
        self._devtools.send(f"Input.dispatch{self._kind}Event", event)


@pytest.fixture(params=["mouse", "finger", "space"])
def gesture(request, visit, serve):
    """The tab, and what presses Talk in it."""
    tab = visit(serve().url, **(PHONE if request.param == "finger" else {}))
    return tab, Press(tab, request.param, tab.talk)


def test_holding_talks_and_a_second_tap_sends(gesture, upstream):
    """For as long as it is held; nothing has to be held. What was said meanwhile is sent."""
    tab, press = gesture
    press.down()
    tab.expect_state("Listening")
    time.sleep(QUESTION_SECONDS)
    tab.expect_state("Listening")
    press.up(QUESTION_SECONDS)
    expect(tab.said).to_have_text(TRANSCRIPT)
    assert recorded(upstream).loudest() > 0.1
    tab.expect_turn(1)
    press.taps(0)
    tab.expect_state("Listening")
    time.sleep(QUESTION_SECONDS)
    tab.expect_state("Listening")
    press.taps(0)
    tab.expect_turn(2)
    assert recorded(upstream).seconds > QUESTION_SECONDS - 0.5


def test_enter_on_the_button_taps_once(tab, upstream):
    """As assistive technology presses it, however often the keyboard repeats it."""
    tab.talk.focus()
    for _ in range(8):
        tab.page.keyboard.down("Enter")
        time.sleep(0.1)
    tab.page.keyboard.up("Enter")
    tab.expect_state("Listening")
    time.sleep(QUESTION_SECONDS + 2.5)
    tab.expect_state("Listening")
    assert upstream.requests == []
    tab.page.keyboard.press("Enter")
    expect(tab.said).to_have_text(TRANSCRIPT)
    tab.expect_turn(1)


@pytest.mark.parametrize("what", ["a tap", "a hold", "Escape", "a slide"])
def test_what_is_pressed_while_the_page_loads_is_not_lost(tab, what):
    """It listens once it can. Who has let go of a hold by then has spoken in vain, and is told."""
    waiting = []
    # Playwright takes no function of a built-in type.
    tab.page.route("**/page.json", lambda route: waiting.append(route))  # noqa: PLW0108
    tab.go(tab.origin)
    press, mouse = Press(tab, "space", tab.talk), tab.page.mouse
    if what == "a slide":
        tab.talk.hover()
        mouse.down()
        mouse.move(5, 5)
        mouse.up()
    else:
        for _ in range(2):  # Who is in doubt taps twice.
            press.down()
            press.up(2 if what == "a hold" else 0.05)
        if what == "Escape":
            tab.press("Escape")
    tab.expect_state("Loading")
    waiting[0].continue_()
    if what == "a tap":
        tab.expect_state("Listening")
        tab.stop()
    if what == "a hold":
        tab.expect_failure("The microphone was not open yet")
    tab.expect_state("Ready")
    assert not tab.has_shown("Opening the microphone")


def test_the_space_bar_talks_unless_something_else_has_the_focus(tab):
    """What was clicked does not keep it. In a field it is a space, and it presses a button."""
    with tab.settings() as page:
        field = page.get_by_label("What the model is told first")
        field.press_sequentially("Be brief")
        expect(field).to_have_value("Be brief")
        tab.expect_state("Ready")
    tab.page.keyboard.down(" ")
    tab.expect_state("Listening")
    tab.press("Escape")
    tab.page.keyboard.up(" ")
    tab.expect_state("Ready")
    tab.button("Settings").focus()
    tab.page.keyboard.press(" ")
    expect(tab.page.get_by_role("heading", name="Settings")).to_be_focused()
    tab.expect_state("Ready")


def test_escape_forgets_what_is_being_said(tab, upstream):
    """Nothing is sent, and how to begin is told again. A meter shows that it listens, or rests."""
    how = tab.page.get_by_text("Or tap it once to begin")
    level = "Number(document.getElementById('talk').style.getPropertyValue('--level'))"
    # What is said is over before a busy machine looks.
    tab.run(
        f"setInterval(() => {{ window.loudest = Math.max(window.loudest ?? 0, {level}); }}, 20)"
    )
    tab.tap(until="Listening")
    expect(how).to_be_hidden()
    tab.wait_for("return window.loudest > 0.3")
    tab.stop()
    expect(how).to_be_visible()
    tab.wait_for(f"return {level} === 0")
    time.sleep(1)
    assert upstream.requests == []


def test_silence_ends_a_tap_where_that_is_switched_on(tab, upstream):
    """Nobody has to press again: 1.5 s after the last word it is sent. It does not end a hold."""
    with tab.settings() as page:
        page.get_by_label("1.5 seconds of silence").check()
    tab.page.keyboard.down(" ")
    tab.expect_state("Listening")
    time.sleep(QUESTION_SECONDS + 2.5)
    tab.press("Escape")
    tab.page.keyboard.up(" ")
    tab.expect_rest()
    assert upstream.requests == []
    tab.tap(until="Listening")
    tab.expect_state("Tap Send, or fall silent, when you have said it.", "#how")
    expect(tab.said).to_have_text(TRANSCRIPT)
    assert recorded(upstream).seconds > QUESTION_SECONDS + 0.5
    tab.expect_turn(1)


def test_a_muted_microphone_hears_nothing(tab, upstream):
    """While it is muted the state says so, and what is sent is silence."""
    began = time.monotonic()
    tab.tap(until="Listening")
    mute = tab.button("Mute")
    invitation = tab.page.get_by_role("heading", name="Say something.")
    expect(invitation).to_be_visible()
    mute.click()
    tab.expect_state("Muted")
    expect(invitation).to_be_hidden()
    heard_until = time.monotonic() - began + 0.5
    seconds = tab.text_of("#talk-time")
    expect(tab.page.get_by_text("Tap Mute again to be heard. Send sends what")).to_be_visible()
    expect(mute).to_have_attribute("aria-pressed", "true")
    time.sleep(QUESTION_SECONDS)
    assert tab.text_of("#talk-time") == seconds  # Nothing is heard that could be counted.
    mute.click()
    tab.expect_state("Listening")
    tab.tap()
    tab.expect_turn(1)
    expect(mute).to_be_hidden()
    assert recorded(upstream).loudest(after=heard_until) < 0.01


def test_what_takes_long_is_said_to(new_tab, serve, upstream):
    """After six seconds of a stage."""
    tab = new_tab()
    tab.load(serve().url)
    tab.page.clock.install()
    stages = {
        "stt": (hear, "Waiting for the transcript", "Still waiting for the transcript"),
        "text": (write(), "Waiting for the answer", "Still waiting for the answer"),
        "tts": (speak(0.1), "Waiting for the voice", "Still waiting for the voice"),
    }
    held = {stage: hold_back(answer) for stage, (answer, *_) in stages.items()}
    upstream.answers.update({stage: answer for stage, (answer, _) in held.items()})
    tab.send()
    for stage, (_, words, late) in stages.items():
        tab.expect_state(words)
        tab.page.clock.fast_forward(6_000)
        tab.expect_state(f"{late}; this can take a while")
        held[stage][1].set()
    tab.expect_turn(1)


def test_a_second_click_on_stop_opens_no_microphone(tab, upstream):
    """Though the switch is where Stop was; a moment later it is the switch's."""
    upstream.answers["text"], _ = hold_back(write())
    tab.send(until="Waiting for the answer")
    press = Press(tab, "mouse", tab.button("Cancel"))
    press.taps(0, 0.2)
    tab.expect_state("Ready")
    expect(tab.page.get_by_text("No answer: it was cancelled.")).to_be_visible()
    time.sleep(1)
    tab.expect_state("Ready")
    press.taps(0)
    tab.expect_state("Listening")
    tab.press("Escape")
