"""A tab with the page in it, moved as people move it; in each engine it has the same verbs."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from browser import shown
from browser.speaking_upstream import QUESTION
from playwright.sync_api import ConsoleMessage, Locator, Page, expect
from testing.builders import ROOT

WAIT_SECONDS = 30
STATE_SEEN = f"const [words, place] = arguments; {shown.SEEN}"
AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
VIEWPORT = {"width": 1280, "height": 720}  # Playwright's own.
QUESTION_SECONDS = 2.4  # So long examples/question.wav, which the microphone hears, takes to say.
TURN_OVER = """const turns = document.querySelectorAll(".turn");
return document.querySelectorAll(".said").length === arguments[0]
  && turns[arguments[0] - 1]?.querySelector("[data-action=save]").checkVisibility();"""


class AnyTab:
    """What a tab does in every engine; its class goes to addresses and runs scripts."""

    def load(self, url: str) -> None:
        """Open the page, and wait until it knows what the service offers."""
        self.go(url)
        self.expect_rest()

    def reload(self) -> None:
        """Load the page anew, and wait until it knows what the service offers."""
        self.load(self.run("return location.href"))

    def open(self, url: str, script: str = "") -> "AnyTab":
        """The page, with a script in it, after a gesture: browsers play nothing before."""
        self.load(url)
        self.run(script)
        self.click("h1")
        return self

    def wait_for(self, script: str, *arguments: Any) -> Any:
        """What the script returns once that is no false value."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := self.run(script, *arguments)):
            if time.monotonic() > deadline:
                seen = self.run("return document.body.innerText")
                raise AssertionError(f"{script}: {arguments}\n{seen}")
            time.sleep(0.05)
        return found

    def expect_state(self, words: str, place: str = "#status") -> None:
        """Wait until the state reads so, or has since the last gesture, after what was expected."""
        self.wait_for(STATE_SEEN, words, place)

    def has_shown(self, words: str) -> bool:
        return self.run(STATE_SEEN, words, "#status")

    def expect_rest(self) -> None:
        """Wait until nothing goes on, whether or not anybody can talk."""
        self.wait_for("return document.body?.dataset.state === 'idle'")

    def expect_failure(self, beginning: str) -> None:
        """Wait until a failure is told that begins so, and nothing goes on any more."""
        text = "document.getElementById('alert').textContent"
        self.wait_for(f"return {text}.startsWith(arguments[0])", beginning)
        self.expect_rest()

    def expect_turn(self, number: int, rest: str = "Ready") -> None:
        """Wait until that many turns were had, and the last is over."""
        self.wait_for(TURN_OVER, number)
        self.expect_state(rest)

    def tap(self, **outcome: str) -> None:
        """Tap Talk as a screen reader does: a pointer's tap is a hold on a busy machine."""
        self.run("document.getElementById('talk').click()")
        self._expect(**outcome)

    def send(self, file: Path = QUESTION, **outcome: str) -> None:
        self._choose(file)
        self._expect(**outcome)

    def _expect(self, *, until: str = "", fails: str = "") -> None:
        """Wait for the state that a gesture leads to, or for the failure."""
        if until:
            self.expect_state(until)
        if fails:
            self.expect_failure(fails)

    def ask(self, turn: int) -> None:
        """Send the question, and wait until that turn is over."""
        self.send()
        self.expect_turn(turn)

    def ask_by_tapping(self) -> None:
        """Let the microphone hear the question between two taps."""
        self.tap(until="Listening")
        time.sleep(QUESTION_SECONDS)
        self.tap()

    def stop(self) -> None:
        self.press("Escape")
        self.expect_state("Ready")

    def text_of(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0])?.textContent.trim() ?? ''"
        return self.run(script, selector)

    def count(self, selector: str) -> int:
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def violations(self) -> list[list[str]]:
        """What axe-core finds: each rule, and the elements that break it."""
        return self.run(
            f"""{AXE.read_text()};
            return axe.run({{ resultTypes: ["violations"] }}).then(({{ violations }}) =>
              violations.map(({{ id, nodes }}) => [id, ...nodes.map(({{ html }}) => html)]));"""
        )

    def check(self) -> None:
        """Nothing went wrong of which nobody was told."""
        assert self.run("return window.failed ?? []") == []


class Tab(AnyTab):
    """A tab of Chromium or Firefox, by Playwright; it notes which hosts are asked for anything."""

    # By how many seconds at most a recording may be shorter than what was said: so much of its
    # beginning was lost at least, when some was.
    loses = 0.4

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.talk = page.locator("#talk")
        self.status = page.get_by_role("status")
        self.alert = page.get_by_role("alert")
        self.said = page.locator(".said")
        self.replies = page.locator(".reply")
        page.set_default_timeout(1000 * WAIT_SECONDS)
        expect.set_options(timeout=1000 * WAIT_SECONDS)
        page.add_init_script(shown.ERRORS + shown.NOTE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _note(self, message: ConsoleMessage) -> None:
        """Note an error, but not the browser's own note of an answer of 400 and above."""
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def go(self, url: str) -> None:
        self.origin = url
        self.page.goto(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of a function returns, or what that resolves to; it has `arguments`."""
        return self.page.evaluate(f"(given) => (function () {{ {script} }})(...given)", arguments)

    def click(self, selector: str) -> None:
        """Click in the middle of what is seen of it."""
        self.page.click(selector)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def fill(self, selector: str, text: str) -> None:
        self.page.fill(selector, text)

    def _choose(self, file: Path) -> None:
        self.page.set_input_files("#file", file)

    def other(self) -> "Tab":
        return Tab(self.page.context.new_page())

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def saved(self, kind: str) -> str:
        """The conversation as it is saved: `As text`, or `As JSON`."""
        self.button("Save").click()
        with self.page.expect_download() as download:
            self.button(re.compile(kind)).click()
        return download.value.path().read_text()

    @contextmanager
    def settings(self) -> Iterator[Page]:
        """The Settings dialog, open until the block ends."""
        self.button("Settings").click()
        yield self.page
        self.button("Done").click()
        expect(self.page.get_by_role("dialog")).to_be_hidden()

    def fold_hosts(self) -> None:
        """Unfold the hosts of stages in Settings, or fold them again."""
        hosts = self.page.get_by_text("A host for each stage")
        if not hosts.is_visible():
            self.page.get_by_text("Advanced").click()
        hosts.click()

    def field(self, stage: str, label: str) -> Locator:
        return self.page.get_by_role("group", name=stage).get_by_label(label)

    def tell_first(self, text: str) -> None:
        """Choose in Settings what the model is told first."""
        with self.settings() as page:
            page.get_by_label("What the model is told first").fill(text)

    def check(self) -> None:
        """Nothing went wrong unseen, and no request left the host."""
        super().check()
        assert self.errors == []
        assert self.hosts <= {urlsplit(self.origin).netloc}

    def leave(self) -> None:
        """Forget what a test has done to it, and end what goes on."""
        self.run("localStorage.clear()")
        self.page.unroute_all()
        self.page.context.clear_permissions()
        self.page.set_viewport_size(VIEWPORT)
        self.page.goto("about:blank")
        self.errors.clear()
        self.hosts.clear()

    def set_font(self, family: str) -> None:
        """Have all of it written in another font, as on another machine."""
        self.run(
            """const { style } = document.documentElement;
            style.setProperty("--serif", arguments[0]);
            document.body.style.fontFamily = arguments[0];""",
            family,
        )


def run(page: Page, module: str, body: str, argument: object = None) -> object:
    """What `body`, a function's, returns; it has the module as `it`, and the argument."""
    script = f"async (argument) => {{ const it = await import('/{module}.js'); {body} }}"
    return page.evaluate(script, argument)
