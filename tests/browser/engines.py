"""Firefox and WebKit, moved as people move them; each engine has the same few verbs."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from browser import shown
from playwright.sync_api import Browser, Page, Playwright
from selenium import webdriver
from selenium.common import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from testing.builders import ROOT
from urllib3.exceptions import ReadTimeoutError

AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
WAIT_SECONDS = 30
ANSWER_SECONDS = 60  # Longer than anything that WebKit's driver is asked for takes.
STARTS = 3
TURNS_OVER = "return document.querySelectorAll('.again:not([hidden])').length"
NOTE_ERRORS = """
window.failed ??= [];
addEventListener("error", (event) => { if (event.message) failed.push(event.message); });
addEventListener("unhandledrejection", ({ reason }) => failed.push(String(reason)));
addEventListener("securitypolicyviolation", ({ violatedDirective }) => {
  failed.push(violatedDirective);
});
const { error } = console;
console.error = (...words) => { failed.push(words.join(" ")); error(...words); };
// Where Firefox is asked for this while a worklet plays, it stops for ever now and then.
if (navigator.userAgent.includes("Firefox/")) {
  const get = () => { failed.push("outputLatency"); };
  Object.defineProperty(AudioContext.prototype, "outputLatency", { get });
}
"""


class Firefox:
    """A tab of Firefox, or of Chromium, by Playwright."""

    # By how many seconds at most a recording may be shorter than what was said: so much of its
    # beginning was lost at least, when some was.
    loses = 0.4

    def __init__(self, page: Page) -> None:
        self.page = page
        page.add_init_script(NOTE_ERRORS + shown.NOTE)

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


class WebKit:
    """A tab of WebKitGTK, by WebDriver."""

    loses = 1.1  # It writes a second at a time, and on a busy machine may leave out the last.

    def __init__(self, driver: webdriver.Remote) -> None:
        self.driver = driver
        self.handle = driver.current_window_handle

    def go(self, url: str) -> None:
        self._there().get(url)
        # There is no earlier moment; what keeps the page from being ready is seen all the same.
        self.run(NOTE_ERRORS + shown.NOTE)

    def run(self, script: str, *arguments: Any) -> Any:
        return self._there().execute_script(script, *arguments)

    def click(self, selector: str) -> None:
        self._seen(selector).click()

    def press(self, key: str) -> None:
        self._there()
        ActionChains(self.driver).send_keys(getattr(Keys, key.upper(), key)).perform()

    def fill(self, selector: str, text: str) -> None:
        self._seen(selector).send_keys(text)

    def send(self, file: Path) -> None:
        # WebDriver types into what is seen only.
        self.run("document.getElementById('file').hidden = false")
        self.driver.find_element(By.ID, "file").send_keys(str(file))
        self.run("document.getElementById('file').hidden = true")

    def other(self) -> "WebKit":
        self._there().switch_to.new_window("window")
        return WebKit(self.driver)

    def _seen(self, selector: str) -> WebElement:
        """The element, scrolled to where nothing that sticks to an edge lies over it."""
        found = self._there().find_element(By.CSS_SELECTOR, selector)
        self.run("arguments[0].scrollIntoView({ block: 'center' })", found)
        return found

    def _there(self) -> webdriver.Remote:
        self.driver.switch_to.window(self.handle)
        return self.driver


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


@contextmanager
def webkit(
    environment: dict[str, str], *, microphone: bool = True, lang: str = "en_US.UTF-8"
) -> Iterator[WebKit]:
    """Debian's WebKitGTK in a session of its own; its microphone hears beeps."""
    options = Options()
    [options.binary_location] = map(str, Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    for argument in (
        *("--automation", "--enable-media-stream=true"),
        f"--enable-mock-capture-devices={str(microphone).lower()}",
    ):
        options.add_argument(argument)
    with ExitStack() as stack:
        for _ in range(STARTS - 1):
            with suppress(WebDriverException, ReadTimeoutError):
                driver = stack.enter_context(session(options, {**environment, "LANG": lang}))
                break
        else:
            driver = stack.enter_context(session(options, {**environment, "LANG": lang}))
        yield WebKit(driver)


class Driver(Service):
    """WebKit's driver in a group of processes, for ten minutes at most."""

    def command_line_args(self) -> list[str]:
        """What `timeout` is told."""
        return ["600", "/usr/bin/WebKitWebDriver", *super().command_line_args()]


@contextmanager
def session(options: Options, environment: dict[str, str]) -> Iterator[webdriver.Remote]:
    """A driver and its browser, which both end with the block, whatever they do.

    The driver picks a port for the browser, which opens it half a second later. If another program
    takes it in between, as the near end of any connection, the driver waits for ever.
    """
    service = Driver("/usr/bin/timeout", env=environment)
    service.start()
    try:
        config = ClientConfig(service.service_url, timeout=ANSWER_SECONDS)
        # The driver is on this machine, and so are the files that it sends.
        driver = webdriver.Remote(
            RemoteConnection(client_config=config),
            file_detector=UselessFileDetector(),
            options=options,
        )
        driver.set_script_timeout(ANSWER_SECONDS)
        yield driver
    finally:
        os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait()
        service.stop()


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
    wait_for_state(tab, "Ready")
    tab.click("h1")  # A gesture, as browsers ask for before they play anything.
    return tab


def wait_for_state(engine: Engine, words: str) -> None:
    """Wait until the state reads so, or has since the last gesture, after what was waited for."""
    wait_for(engine, f"const [words, place] = arguments; {shown.SEEN}", words, "#status")


def wait_for_failure(engine: Engine, beginning: str) -> None:
    """Wait until a failure is told that begins so, and the page is ready again."""
    text = "document.getElementById('alert').textContent"
    wait_for(engine, f"return {text}.startsWith(arguments[0])", beginning)
    wait_for_state(engine, "Ready")


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
