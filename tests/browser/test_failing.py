"""Each failure is told in one sentence that says what to do, and what was said is kept."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from browser.conftest import ALLOWED, MICROPHONE
from browser.speaking_upstream import (
    QUESTION,
    REPLY,
    SENTENCES,
    hear_nothing,
    hold_back,
    refuse,
    speak,
    told,
    write,
)
from playwright.sync_api import expect
from testing.fake_openai import TRANSCRIPT
from testing.gunicorn_process import free_port

pytestmark = pytest.mark.system


def test_without_leave_for_the_microphone(visit, launch, serve):
    """The browser refuses, as it does once the user has."""
    tab = visit(serve().url, browser=launch(*MICROPHONE))
    tab.tap(fails="The microphone is blocked: allow it")
    expect(tab.status).to_have_text("Not ready")
    for words in ("Say some", "Hold Talk", "Or tap it", "Switch Conversation on"):
        expect(tab.page.locator("#greeting").get_by_text(words)).to_be_hidden()
    expect(tab.page.locator("#how")).to_be_empty()
    tab.page.context.grant_permissions(["microphone"])
    expect(tab.status).to_have_text("Ready")
    expect(tab.alert).to_be_empty()
    tab.page.context.clear_permissions()
    tab.tap(fails="The microphone is blocked: allow it")
    tab.send()  # Which needs none, and mends none.
    tab.expect_turn(1, rest="Not ready")
    assert not tab.has_shown("Ready")


def test_on_an_insecure_origin(visit, launch, serve, upstream):
    """Plain http on another name than this machine's; a reply to a file can be read to its end."""
    sentences = (SENTENCES[0], f"{SENTENCES[1]} ", "It is very old.")
    upstream.answers["text"] = write(sentences, pause=0.5)
    browser = launch(*MICROPHONE, ALLOWED, "--host-resolver-rules=MAP parley.test 127.0.0.1")
    port = serve().url.rpartition(":")[2]
    tab = visit(f"http://parley.test:{port}", browser=browser)
    tab.tap(fails="Browsers give the microphone to secure pages only")
    tab.send(until="Waiting for the voice")
    tab.expect_state("Waiting for the rest")  # Since no voice will come.
    tab.expect_failure("Browsers play the speech on secure pages only")
    expect(tab.replies).to_contain_text("".join(sentences))
    expect(tab.button("Save as WAV")).to_be_visible()
    for name in ("Hear again", "Copy"):  # Which no insecure page can.
        expect(tab.button(name)).to_be_hidden()


def test_without_a_recorder(visit, serve):
    """A browser that records nothing which the service takes."""
    only_ogg = "MediaRecorder.isTypeSupported = (type) => /ogg/.test(type)"
    tab = visit(serve().url, script=only_ogg)
    tab.tap(fails="This browser records neither WebM nor MP4")


def test_sound_waits_for_a_gesture_and_says_so(launch, serve, upstream):
    """A file that comes without a click is heard after the first one."""
    upstream.answers["tts"] = speak(20)
    # As desktops have it; without a screen Chromium plays whatever it is given.
    page = launch("--autoplay-policy=document-user-activation-required").new_page()
    page.goto(serve().url)
    # Whatever Playwright itself asks the page counts as a gesture; these do not.
    devtools = page.context.new_cdp_session(page)

    def text_of(element):
        expression = f"document.querySelector('{element}').innerText"
        return devtools.send("Runtime.evaluate", {"expression": expression})["result"]["value"]

    def wait_for(element, beginning):
        deadline = time.monotonic() + 30
        while not text_of(element).startswith(beginning):
            assert time.monotonic() < deadline, text_of(element)
            page.wait_for_timeout(50)

    wait_for("#status", "Ready")
    field = {"expression": "document.getElementById('file')"}
    found = devtools.send("Runtime.evaluate", field)["result"]["objectId"]
    files = {"objectId": found, "files": [str(QUESTION)]}
    devtools.send("DOM.setFileInputFiles", files)
    began = time.monotonic()
    wait_for("#alert", "The browser holds the sound back: press any key, or click anywhere")
    wait_for("#status", "Waiting for a key or a click")
    page.wait_for_timeout(1000)
    assert text_of(".figure") == ""
    held = time.monotonic() - began
    page.mouse.click(20, 300)
    wait_for("#status", "Speaking")
    assert text_of("#alert") == ""
    expect(page.locator(".timing")).to_contain_text("to the first sound")
    assert float(text_of(".figure").split()[0]) > held - 0.5


def test_a_question_that_is_tried_again_is_told_once(tab, upstream):
    """The model learns nothing of the failure."""
    upstream.answers["text"] = refuse("404 Not Found")
    tab.send(fails="Reply: The AI service")
    expect(tab.said).to_have_text(TRANSCRIPT)
    expect(tab.page.get_by_text("No answer: the AI service refused it.")).to_be_visible()
    upstream.answers["text"] = write()
    for path in ("**/api/conversation/", "**/page.json"):
        tab.page.route(path, lambda route: route.abort())
    tab.button("Try again").click()
    tab.expect_failure("The service cannot be reached")
    tab.expect_state("Not connected")
    expect(tab.said).to_have_text(TRANSCRIPT)  # What was kept stays.
    tab.page.unroute("**/api/conversation/")
    tab.button("Try again").click()
    expect(tab.replies.last).to_have_text(REPLY)
    expect(tab.status).to_have_text("Ready")  # Its answer shows that it is there.
    assert told(upstream) == [[("user", TRANSCRIPT)]] * 2
    expect(tab.said).to_have_count(1)
    tab.press("Escape")


def test_no_speech(tab, upstream):
    """A blank transcript is no turn, and is not sent again."""
    upstream.answers["stt"] = hear_nothing
    tab.ask_by_tapping()
    tab.expect_failure("No speech was recognised: speak closer to the microphone")
    expect(tab.said).to_have_count(0)
    expect(tab.button("Try again")).to_be_hidden()


AGAIN = 'Text to speech: The AI service failed, saying: "Try again". Ask again, or choose another'
CREDIT = "This service's account at the AI service has no credit left: tell whoever runs this"


@pytest.mark.parametrize(
    ("refused", "words", "reason"),
    [
        (("500 No", "Try again"), AGAIN, "the AI service failed or could not be reached"),
        (("429 No", "You exceeded your current quota."), CREDIT, "no credit was left"),
    ],
)
def test_a_reply_whose_speech_fails(tab, upstream, refused, words, reason):
    """206: it is there to be read, and is told; another try is another question, and says so."""
    upstream.answers["tts"] = refuse(*refused)
    tab.send(fails=words)
    expect(tab.alert).to_contain_text(re.compile("[Aa]sk again.*[.] This reply can be read[.]$"))
    expect(tab.button("Ask again")).to_be_visible()
    expect(tab.replies).to_have_text(REPLY)
    expect(tab.page.locator(".missed")).to_have_text([f"Not spoken: {reason}."])
    upstream.answers["tts"] = speak(0.1)
    tab.send()
    expect(tab.replies).to_have_count(2)
    tab.expect_state("Ready")
    assert told(upstream)[-1][1] == ("assistant", REPLY)


def test_every_place_taken(visit, new_tab, serve, upstream):
    """503 says how long to wait, and then that it is over."""
    url = serve(PARLEY_CAPACITY="1").url
    first, second = visit(url), new_tab()
    second.load(url)
    upstream.answers["text"], go = hold_back(write())
    first.send(until="Waiting for the answer")
    second.send(fails="Every place is taken at the moment. Wait ")
    expect(second.button("Try again now")).to_be_visible()
    over = second.page.get_by_role("status").filter(has_text="The wait is over: try again.")
    expect(over).to_be_visible()
    expect(second.button("Try again")).to_be_visible()
    go.set()
    expect(first.said).to_have_text(TRANSCRIPT)
    first.expect_state("Ready")


def test_a_cut_connection_and_a_service_that_is_gone(visit, serve, upstream):
    """What was said so far is kept."""
    service = serve(port=free_port())  # Which is closed with the service.
    tab = visit(service.url)
    upstream.answers["text"] = write(pause=20)
    tab.send()
    expect(tab.replies).to_contain_text("Paris is")
    gunicorn = service.process.pid
    workers = Path(f"/proc/{gunicorn}/task/{gunicorn}/children").read_text().split()
    for process in (gunicorn, *map(int, workers)):
        os.kill(process, signal.SIGKILL)
    tab.expect_failure("The connection was cut; what was said so far is kept")
    tab.expect_state("Not connected")
    expect(tab.said).to_have_text(TRANSCRIPT)
    expect(tab.page.get_by_text("It broke off here; more of it may have")).to_be_visible()
    service.process.wait(10)
    tab.button("Try again").click()
    tab.expect_failure("The service cannot be reached")
    expect(tab.status).to_have_text("Not connected")
    tab.press("Escape")  # What is told is gone, and the service still is.
    expect(tab.alert).to_be_empty()
    expect(tab.status).to_have_text("Not connected")
    expect(tab.page.locator("#how")).to_be_empty()
    tab.page.wait_for_timeout(6000)  # Nor is it told once more that nobody is there.
    expect(tab.alert).to_be_empty()
    tab.tap()  # Nobody speaks in vain.
    tab.expect_state("Loading")
    tab.expect_failure("The service cannot be reached")
    tab.expect_state("Not connected")
    serve(port=int(service.url.rpartition(":")[2]))
    tab.expect_state("Ready")
    expect(tab.alert).to_be_empty()  # There is nothing to try again.


def test_a_service_that_is_gone_before_the_page_knows_it(visit, serve):
    """It is asked anew what it offers: by itself, by Talk, Settings, and a file, which is sent."""
    tab = visit(serve().url)

    def lose(gesture):
        tab.page.route("**/page.json", lambda route: route.abort())
        tab.page.reload()
        expect(tab.alert).to_contain_text("The service cannot be reached")
        gesture()
        tab.page.unroute("**/page.json")

    def talk():
        tab.talk.click()
        tab.expect_state("Loading")
        tab.expect_state("Not connected")
        expect(tab.alert).to_contain_text("The service cannot be reached")

    lose(talk)
    tab.expect_state("Ready")
    expect(tab.alert).to_be_empty()
    lose(lambda: None)
    tab.ask(1)
    lose(lambda: None)
    with tab.settings():
        pass
    tab.expect_state("Ready")
    for address in ("page.json", "api/conversation/"):
        tab.page.route(f"**/{address}", lambda route: route.abort())
    tab.send(fails="The service cannot be reached")
    tab.page.unroute_all()
    expect(tab.status.filter(has_text="service can be reached again: try again.")).to_be_visible()
    tab.button("Try again").click()
    tab.expect_turn(1)
