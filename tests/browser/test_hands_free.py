"""A conversation without a hand: it listens, sends after a pause, speaks, can be interrupted, and says so."""

import time
from contextlib import closing

import pytest
from browser import engines, mouth
from browser.engines import opened, wait_for_state
from browser.recorded import recorded
from browser.speaking_upstream import SENTENCES, speak, told

pytestmark = [pytest.mark.system, pytest.mark.alone]
REPLY = "".join(SENTENCES)
ALERT = "return document.getElementById('alert').textContent"
HEARD = "Heard you; a pause sends it"
INTERRUPTED = "Interrupted; a pause sends what you say"
PAUSED = "Paused; the microphone is closed"
OPEN = "return window.microphones.filter(({ readyState }) => readyState === 'live').length"
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def chrome(chromium, serve):
    """The page in Chromium at a phone's size, with a microphone whose room is the test's."""
    with closing(chromium.new_context(**PHONE)) as context:
        yield in_room(engines.Firefox(context.new_page()), serve().url)


@pytest.fixture(params=["chromium", "firefox", "webkit"])
def phone(request, environment, serve):
    """The same in each engine; at the end nothing had failed that nobody was told of."""
    match request.param:
        case "chromium":
            yield (tab := request.getfixturevalue("chrome"))
        case "firefox":
            context = request.getfixturevalue("fox").new_context(**PHONE)
            yield (tab := in_room(engines.Firefox(context.new_page()), serve().url))
        case "webkit":
            driver = engines.webkit(environment)
            request.addfinalizer(lambda: driver.__exit__(None, None, None))
            yield (tab := in_room(driver.__enter__(), serve().url))
    assert tab.run("return failed") == []


def in_room(tab, url):
    """The page, once it is ready."""
    opened(tab, url)
    tab.run(mouth.script())
    return tab


def converse(tab):
    """Switch the conversation on, or off."""
    tab.click("#converse")


def say(tab, name="question"):
    """Speak in the room."""
    tab.run(f"window.say('{name}')")


def begin(tab):
    """A conversation that listens."""
    converse(tab)
    wait_for_state(tab, "Listening")


def bring(tab, state):
    """From listening to a reply, or to its interruption."""
    say(tab)
    wait_for_state(tab, "Speaking")
    if state == INTERRUPTED:
        time.sleep(1)  # It has to know how loud its own voice is.
        say(tab)
        wait_for_state(tab, INTERRUPTED)


def test_several_turns_without_a_touch(phone, upstream):
    """Two replies are interrupted: what the model is told of them ends where they were heard to."""
    upstream.answers["tts"] = speak(20)
    begin(phone)
    for turn in range(3):
        say(phone)
        wait_for_state(phone, INTERRUPTED if turn else HEARD)
        wait_for_state(phone, "Speaking")
        time.sleep(1.5)
    assert phone.run("return document.querySelectorAll('.stopped').length") == 2
    heard = [turn[1::2] for turn in told(upstream)]
    assert [len(turns) for turns in heard] == [0, 1, 2]
    for _, reply in heard[2]:
        assert REPLY.startswith(reply)
        assert 0 < len(reply) < len(SENTENCES[0])
    recording = recorded(upstream)
    assert recording.bytes.startswith(b"RIFF")
    assert 2 < recording.seconds < 4
    phone.press("Escape")
    wait_for_state(phone, "Ready")
    assert phone.run(OPEN) == 0
