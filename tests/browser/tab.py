"""A tab with the page in it, moved as people move it: by clicks and keys alone."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from browser import shown
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, expect

WAIT_MILLISECONDS = 30_000
VIEWPORT = {"width": 1280, "height": 720}
"""Playwright's own."""

QUESTION_SECONDS = 2.4
"""How long examples/question.wav, which the microphone hears, takes to say."""


@dataclass
class Tab:
    """The page, and what went wrong or left the host meanwhile."""

    page: Page
    origin: str
    errors: list[str] = field(default_factory=list)
    """What the console was told, but for the browser's own notes of answers of 400 and above."""

    hosts: set[str] = field(default_factory=set)

    @property
    def talk(self):
        """The button that talks; its name says what it does."""
        return self.page.locator("#talk")

    @property
    def status(self):
        return self.page.get_by_role("status")

    @property
    def alert(self):
        return self.page.get_by_role("alert")

    @property
    def said(self):
        """What the user said, turn by turn."""
        return self.page.locator(".said")

    @property
    def replies(self):
        return self.page.locator(".reply")

    def expect_state(self, words: str, place: str = "#status", seconds: float = 30) -> None:
        """Wait until the state reads so, or has since the last gesture, after what was expected."""
        seen = f"([words, place]) => {{ {shown.SEEN} }}"
        try:
            self.page.wait_for_function(
                seen, arg=[words, place], polling=50, timeout=1000 * seconds
            )
        except Error:
            reads = self.page.locator(place).all_inner_texts()
            raise AssertionError(f"{place} never was {words!r}; now it is {reads}") from None

    def tap(self) -> None:
        """Tap Talk as a screen reader does: a pointer's tap is a hold on a busy machine."""
        self.talk.evaluate("(talk) => talk.click()")

    def expect_failure(self, beginning: str) -> None:
        """Wait until a failure is told that begins so, and nothing goes on any more."""
        expect(self.alert).to_have_text(re.compile("^" + re.escape(beginning)))
        self.expect_rest()

    def expect_rest(self) -> None:
        """Wait until nothing goes on, whether or not anybody can talk."""
        expect(self.page.locator("body")).to_have_attribute("data-state", "idle")

    @contextmanager
    def settings(self) -> Iterator[Page]:
        """The Settings dialog, open until the block ends."""
        self.page.get_by_role("button", name="Settings", exact=True).click()
        yield self.page
        self.page.get_by_role("button", name="Done").click()
        expect(self.page.get_by_role("dialog")).to_be_hidden()

    def expect_turn(self, number: int) -> None:
        """Wait until that many turns were had, and the last is over."""
        expect(self.said).to_have_count(number)
        last = self.page.locator(".turn").nth(number - 1)
        expect(last.get_by_role("button", name="Save as WAV")).to_be_visible()
        self.expect_state("Ready")

    def open(self) -> None:
        """Load the page, and wait until it knows what the service offers."""
        self.errors.clear()
        self.hosts.clear()
        self.page.goto(self.origin)
        self.expect_rest()

    def leave(self) -> None:
        """Forget what a test has done to it, and end what goes on."""
        self.page.evaluate("localStorage.clear()")
        self.page.unroute_all()
        self.page.context.clear_permissions()
        self.page.set_viewport_size(VIEWPORT)
        self.page.goto("about:blank")

    def check(self) -> None:
        """Nothing went wrong unseen, and no request left the host."""
        assert self.errors == []
        assert self.hosts == {urlsplit(self.origin).netloc}

    def ask_by_tapping(self) -> None:
        """Let the microphone hear the question between two taps."""
        self.tap()
        self.expect_state("Listening")
        time.sleep(QUESTION_SECONDS)
        self.tap()

    def set_font(self, family: str) -> None:
        """Have all of it written in another font, as on another machine."""
        self.page.evaluate(
            """(family) => {
              const { style } = document.documentElement;
              style.setProperty("--serif", family);
              document.body.style.fontFamily = family;
            }""",
            family,
        )

    def send(self, file) -> None:
        """Send a file with the button for it."""
        self.page.locator("#file").set_input_files(file)


def open_tab(context: BrowserContext, origin: str) -> Tab:
    """The page in a new tab."""
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    expect.set_options(timeout=WAIT_MILLISECONDS)
    tab = Tab(page, origin)
    page.add_init_script(shown.NOTE)
    page.on("pageerror", lambda error: tab.errors.append(str(error)))
    page.on("console", lambda message: tab.errors.extend(errors_in(message)))
    page.on("request", lambda request: tab.hosts.add(urlsplit(request.url).netloc))
    tab.open()
    return tab


def errors_in(message: ConsoleMessage) -> list[str]:
    """The text of an error, unless it is the browser's own note of an answer of 400 and above."""
    is_note = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not is_note else []


def run(page: Page, module: str, body: str, argument: object = None) -> object:
    """What `body`, a function's, returns; it has the module as `it`, and the argument."""
    script = f"async (argument) => {{ const it = await import('/{module}.js'); {body} }}"
    return page.evaluate(script, argument)
