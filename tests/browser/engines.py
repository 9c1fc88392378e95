"""Firefox, Chromium and WebKit, moved as people move them; each engine has the same few verbs."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from browser import shown
from browser.webkit import WebKit
from playwright.sync_api import Browser, Page, Playwright
from testing.builders import ROOT

AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
WAIT_SECONDS = 30
RESTS = "return document.body.dataset.state === 'idle'"
"""Whether nothing goes on, though perhaps nobody can talk."""

TURNS_OVER = "return document.querySelectorAll('.again:not([hidden])').length"


class Firefox:
    """A tab of Firefox, or of Chromium, by Playwright."""

    # By how many seconds at most a recording may be shorter than what was said: so much of its
    # beginning was lost at least, when some was.
    loses = 0.4

    def __init__(self, page: Page) -> None:
        self.page = page
        page.add_init_script(shown.ERRORS + shown.NOTE)

    def go(self, url: str) -> None:
        """Open the page, with notes of what fails in it."""
        self.page.goto(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of a function returns, or what that resolves to; it has `arguments`."""
        return self.page.evaluate(f"(given) => (function () {{ {script} }})(...given)", arguments)

    def click(self, selector: str) -> None:
        """Click in the middle of what is seen of it."""
        self.page.click(selector)

    def press(self, key: str) -> None:
        """Press a key: `Escape`, or what it types."""
        self.page.keyboard.press(key)

    def fill(self, selector: str, text: str) -> None:
        self.page.fill(selector, text)

    def send(self, file: Path) -> None:
        self.page.set_input_files("#file", file)

    def other(self) -> "Firefox":
        """Another tab of the same browser."""
        return Firefox(self.page.context.new_page())


Engine = Firefox | WebKit


@contextmanager
def firefox(
    playwright: Playwright, environment: dict[str, str], *, microphone: bool = True
) -> Iterator[Browser]:
    """Debian's Firefox, with leave to use its microphone, which hears a tone."""
    preferences = {
        "media.navigator.streams.fake": microphone,
        "media.navigator.permission.disabled": True,
    }
    with closing(
        playwright.firefox.launch(
            channel="moz-firefox",
            executable_path="/usr/bin/firefox-esr",
            firefox_user_prefs=preferences,
            env=environment,
        )
    ) as browser:
        yield browser


@contextmanager
def screen() -> Iterator[str]:
    """A screen that nobody sees; its name as DISPLAY has it."""
    reader, writer = os.pipe()
    command = ["timeout", "3600", "Xvfb", "-displayfd", str(writer), "-nolisten", "tcp"]
    command += ["-screen", "0", "1400x1200x24"]
    process = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            yield f":{told.readline().strip()}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(engine: Engine, script: str, *arguments: Any) -> Any:
    """What the script returns once that is no false value."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := engine.run(script, *arguments)):
        seen = engine.run("return document.body.innerText")
        assert time.monotonic() < deadline, f"{script}: {arguments}\n{seen}"
        time.sleep(0.05)
    return found


def opened(tab: Engine, url: str) -> Engine:
    """The page, once it is ready."""
    tab.go(url)
    wait_for(tab, RESTS)
    tab.click("h1")  # A gesture, as browsers ask for before they play anything.
    return tab


def wait_for_state(engine: Engine, words: str) -> None:
    """Wait until the state reads so, or has since the last gesture, after what was waited for."""
    wait_for(engine, f"const [words, place] = arguments; {shown.SEEN}", words, "#status")


def wait_for_failure(engine: Engine, beginning: str) -> None:
    """Wait until a failure is told that begins so, and nothing goes on any more."""
    text = "document.getElementById('alert').textContent"
    wait_for(engine, f"return {text}.startsWith(arguments[0])", beginning)
    wait_for(engine, RESTS)


def wait_for_turn(engine: Engine, number: int) -> None:
    """Wait until that many turns were had, and the last is over."""
    wait_for(engine, f"{TURNS_OVER} === arguments[0]", number)
    wait_for_state(engine, "Ready")


def violations(engine: Engine) -> list[list[str]]:
    """What axe-core finds: each rule, and the elements that break it."""
    return engine.run(
        f"""{AXE.read_text()};
        return axe.run({{ resultTypes: ["violations"] }}).then(({{ violations }}) =>
          violations.map(({{ id, nodes }}) => [id, ...nodes.map(({{ html }}) => html)]));"""
    )


def tap(engine: Engine) -> None:
    """Press Talk as assistive technology does: WebDriver holds a pointer for how long it likes."""
    engine.run("document.getElementById('talk').click()")
