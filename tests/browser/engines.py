"""Firefox, and the screen that it and WebKit are shown on."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager

from playwright.sync_api import Browser, Playwright


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
