"""A tab with the page in it, moved as people move it: by clicks and keys alone."""

import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

WAIT_MILLISECONDS = 30_000
QUESTION_SECONDS = 2.4
"""How long examples/question.wav, which the microphone hears, takes to say."""


@dataclass
class Tab:
    """The page, and what went wrong or left the host meanwhile."""

    page: Page
    origin: str
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    @property
    def talk(self):
        return self.page.get_by_role("button", name="Talk", exact=True)

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

    def expect_state(self, words: str | re.Pattern[str]) -> None:
        """Wait until the state reads so."""
        expect(self.status).to_have_text(words)

    def expect_failure(self, beginning: str) -> None:
        """Wait until a failure is told that begins so, and the page is ready again."""
        expect(self.alert).to_have_text(re.compile("^" + re.escape(beginning)))
        self.expect_state("Ready")

    def ask_by_tapping(self) -> None:
        """Let the microphone hear the question between two taps."""
        self.talk.click()
        self.expect_state("Listening")
        time.sleep(QUESTION_SECONDS)
        self.talk.click()

    def send(self, file) -> None:
        """Send a file with the button for it."""
        self.page.get_by_label("Send a file").set_input_files(file)


def open_tab(context: BrowserContext, origin: str) -> Tab:
    """The page in a new tab."""
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    expect.set_options(timeout=WAIT_MILLISECONDS)
    tab = Tab(page, origin)
    page.on("pageerror", lambda error: tab.errors.append(str(error)))
    page.on(
        "console",
        lambda message: tab.errors.append(message.text) if message.type == "error" else None,
    )
    page.on("request", lambda request: tab.hosts.add(urlsplit(request.url).netloc))
    page.goto(origin)
    tab.expect_state("Ready")
    return tab
