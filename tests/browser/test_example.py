"""examples/talk.html, opened from another origin, asks and sounds."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from browser.speaking_upstream import QUESTION, REPLY, SENTENCES, TONE_SECONDS
from playwright.sync_api import expect
from testing.builders import ROOT
from testing.fake_openai import TRANSCRIPT, soon

pytestmark = pytest.mark.system


@pytest.fixture
def examples():
    """The origin of a server of the folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=ROOT / "examples")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.alone
def test_the_example_for_browsers_asks_and_sounds(examples, chromium, serve, upstream, ear):
    """A service that does not allow the origin is told in a sentence, not by an empty page."""
    service, closed = serve(PARLEY_ALLOWED_ORIGINS=examples), serve()
    with chromium.new_context() as context:
        page = context.new_page()

        def ask(url):
            page.goto(f"{examples}/talk.html?url={url}")
            page.get_by_label("Recording").set_input_files(QUESTION)
            page.get_by_role("button", name="Ask").click()

        ask(closed.url)
        expect(page.get_by_role("status")).to_contain_text("does it allow this origin?")
        with ear.listening() as recording:
            ask(service.url)
            expect(page.locator("#heard")).to_have_text(TRANSCRIPT)
            expect(page.locator("#said")).to_have_text(REPLY)
            expect(page.get_by_role("status")).to_have_text("Done")
            seconds = len(SENTENCES) * TONE_SECONDS
            assert soon(lambda: recording.sounding() > seconds - 0.3, 30)
            page.wait_for_timeout(500)
    assert recording.sounding() < seconds + 0.3
