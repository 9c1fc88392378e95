"""examples/talk.html, opened from another origin, asks and sounds."""

import pytest
from browser.speaking_upstream import QUESTION, REPLY, SENTENCES, TONE_SECONDS
from playwright.sync_api import expect
from testing.builders import ROOT
from testing.fake_openai import TRANSCRIPT, soon

pytestmark = pytest.mark.system
ORIGIN = "http://localhost:1"


@pytest.mark.alone
def test_the_example_for_browsers_asks_and_sounds(chromium, serve, upstream, ear):
    """A service that does not allow the origin is told in a sentence, not by an empty page."""
    service, closed = serve(PARLEY_ALLOWED_ORIGINS=ORIGIN), serve()
    with chromium.new_context() as context:
        page = context.new_page()
        page.route(f"{ORIGIN}/**", lambda route: route.fulfill(path=ROOT / "examples/talk.html"))

        def ask(url):
            page.goto(f"{ORIGIN}/?url={url}")
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
