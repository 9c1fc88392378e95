"""WebKitGTK by its driver: what an engine's tab does, in a session that cannot hang."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from browser import shown
from browser.tab import AnyTab
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
from urllib3.exceptions import ReadTimeoutError

ANSWER_SECONDS = 60  # Longer than anything that the driver is asked for takes.
STARTS = 3


class WebKit(AnyTab):
    """A tab of WebKitGTK, by WebDriver."""

    loses = 1.1  # It writes a second at a time, and on a busy machine may leave out the last.

    def __init__(self, driver: webdriver.Remote) -> None:
        self.driver = driver
        self.handle = driver.current_window_handle

    def go(self, url: str) -> None:
        self._there().get(url)
        # There is no earlier moment; what keeps the page from being ready is seen all the same.
        self.run(shown.ERRORS + shown.NOTE)

    def run(self, script: str, *arguments: Any) -> Any:
        return self._there().execute_script(script, *arguments)

    def click(self, selector: str) -> None:
        self._seen(selector).click()

    def press(self, key: str) -> None:
        self._there()
        ActionChains(self.driver).send_keys(getattr(Keys, key.upper(), key)).perform()

    def fill(self, selector: str, text: str) -> None:
        self._seen(selector).send_keys(text)

    def _choose(self, file: Path) -> None:
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
        for left in reversed(range(STARTS)):
            with suppress(*((WebDriverException, ReadTimeoutError) if left else ())):
                driver = stack.enter_context(session(options, {**environment, "LANG": lang}))
                break
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
