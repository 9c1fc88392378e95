"""What the page promises, in Firefox and in WebKit: what Chromium alone would not tell."""

import time

import pytest
from browser.recorded import recorded
from browser.speaking_upstream import (
    REPLY,
    hear,
    hear_nothing,
    refuse,
    speak,
    speak_on,
    told,
    write,
)
from browser.tab import Tab
from testing.builders import KEY
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
FIELDS = """return ['voice', 'language', 'system_prompt', 'speed'].map(
  (id) => document.getElementById(id).value)"""
MARKDOWN = """The *first* is **Paris**, see [the site](https://paris.example/a).

1. A `tower`
2. <img src=x onerror=alert(1)>

```
on = 1
```
"""


@pytest.mark.alone
def test_the_first_question_is_heard_from_its_first_word(engine, upstream):
    """What is said once the page says that it listens; the next turn knows of it."""
    engine.tap(until="Listening")
    assert engine.text_of("#talk-word") == "Send"
    began = time.monotonic()
    time.sleep(2)
    said = time.monotonic() - began
    engine.tap()
    engine.expect_turn(1)
    assert recorded(upstream).seconds > said - engine.loses
    assert recorded(upstream).loudest(after=0.1) > 0.01
    engine.ask(2)
    said = ("user", TRANSCRIPT)
    assert told(upstream)[-1] == [said, ("assistant", REPLY), said]


@pytest.mark.alone
def test_every_sample_is_heard_and_none_after_it_was_stopped(engine, upstream, ear):
    """Whatever came is heard, and within 0.3 s of Escape nothing."""
    with ear.listening() as recording:
        engine.ask(1)
        deadline = time.monotonic() + 10  # What was played is heard a little later.
        while recording.sounding() < 2.8 and time.monotonic() < deadline:
            time.sleep(0.1)
    # Both segments, of 1.5 s each; a busy machine loses some of it on its way.
    assert recording.sounding() > 1.6
    upstream.answers["tts"] = speak(15)
    note = "window.pressed = performance.timeOrigin + event.timeStamp"
    engine.run(f"addEventListener('keydown', (event) => {{ {note}; }}, {{ capture: true }})")
    # Whatever else the machine does can only delay it.
    assert any(seconds_to_silence(engine, ear) < 0.3 for _ in range(6))
    assert engine.count(".stopped") > 0


def seconds_to_silence(engine, ear):
    """How long something is heard after a reply was stopped."""
    with ear.listening() as recording:
        engine.send(until="Speaking")
        time.sleep(0.5)
        engine.stop()
        time.sleep(0.7)
    return recording.last_sound() - engine.run("return window.pressed") / 1000


def test_each_failure_has_its_sentence(engine, upstream):
    """And leaves the page ready; nobody's silence is no turn, and is not sent again."""
    upstream.answers["stt"] = hear_nothing
    engine.send(fails="No speech was recognised in")
    assert engine.count(".said") == engine.count("#try-again:not([hidden])") == 0
    upstream.answers["stt"] = refuse("401 Unauthorized")
    engine.send(fails="The AI service asks for an API key")
    upstream.answers.update(stt=hear, tts=refuse("400 Bad Request"))
    engine.send(fails="Text to speech: The AI service refused")


def test_choices_are_kept_on_the_device_and_keys_are_not(engine, upstream):
    """Until they are forgotten."""
    chosen = ["nova", "fr", "Rhyme.", "1.5"]
    engine.click("#open-settings")
    engine.fill("#voice", "nova")
    engine.fill("#system_prompt", "Rhyme.")
    engine.run(
        """for (const [id, value] of [["language", "fr"], ["speed", "1.5"]]) {
          document.getElementById(id).value = value;
          document.getElementById(id).dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    engine.click("#advanced summary")
    engine.fill("#base_url", "https://example.org/v1")
    engine.fill("#key", KEY)
    engine.press("Escape")
    stored = engine.run("return JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert KEY not in stored
    assert "example.org" not in stored
    engine.open(engine.run("return location.href"))
    assert engine.run(FIELDS) == chosen
    assert engine.run("return document.getElementById('key').placeholder") == ""
    engine.click("#open-settings")
    engine.run("document.getElementById('forget').click()")
    assert engine.run(FIELDS) == ["", "", "", "1"]
    assert engine.text_of("#forgotten") == "What was chosen before is forgotten."
    assert engine.run("return localStorage.length") == 0


def test_a_reply_reads_as_text(engine, upstream):
    """Emphasis, lists, code and links with their host; what looks like HTML is text."""
    upstream.answers["text"] = write([MARKDOWN])
    assert engine.violations() == []
    engine.click("#open-settings")
    assert engine.violations() == []
    engine.press("Escape")
    engine.ask(1)
    shown = engine.run(
        """return ["em", "strong", "a", "ol li:last-child", "code", "pre"].map((tag) =>
          document.querySelector(`.reply ${tag}`).textContent.trim())"""
    )
    html = "<img src=x onerror=alert(1)>"
    assert shown == ["first", "Paris", "the site", html, "tower", "on = 1"]
    link = engine.run(
        """const { rel, target, href, dataset } = document.querySelector(".reply a");
        return [rel, target, href, dataset.host];"""
    )
    assert link == ["noopener noreferrer", "_blank", "https://paris.example/a", "paris.example"]
    assert engine.violations() == []


def test_one_tab_speaks_at_a_time(engine, upstream):
    """Which begins last; the other falls silent."""
    upstream.answers["tts"] = speak_on  # A busy machine opens a tab slowly.
    engine.send(until="Speaking")
    other = engine.other().open(engine.run("return location.href"))
    other.send(until="Speaking")
    engine.expect_failure("Another tab with this page began to listen or to speak")
    assert engine.count(".stopped") == 1
    other.press("Escape")


def test_without_a_microphone_or_a_loudspeaker(start_engine, serve, upstream):
    """Nothing else is blamed; the reply can be read, and nothing is asked for in vain."""
    tab = start_engine(microphone=False, loudspeaker=False).open(serve().url)
    tab.tap(fails="No microphone was found")
    if isinstance(tab, Tab):  # WebKit plays to nobody, and does not tell.
        tab.send(fails="No sound can be played")
        assert tab.text_of(".unheard") == REPLY
        assert tab.text_of(".stopped") == "None of it was heard."
        tab.run("document.querySelector('[data-action=replay]').click()")
        tab.expect_state("Waiting for the voice")
        tab.expect_failure("No sound can be played")
        assert not tab.has_shown("Speaking")


@pytest.mark.parametrize("start_engine", ["webkit"], indirect=True)
def test_a_system_without_a_language(start_engine, serve):
    """LANG=C.UTF-8: the browser tells of a language that is none."""
    tab = start_engine(lang="C.UTF-8").open(serve().url)
    assert tab.run("return navigator.languages") == ["C"]
    assert tab.run("return document.getElementById('language').options.length") > 50
    assert tab.text_of("#alert") == ""
