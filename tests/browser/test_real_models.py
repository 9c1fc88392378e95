"""`make run`, opened in a browser: real models hear, think and speak."""

import re
import time

import jiwer
import pytest
import requests
import serving
from browser.tab import open_tab
from playwright.sync_api import expect

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def ports():
    return serving.free_port(), serving.free_port()


@pytest.fixture(scope="module")
def engine(ports, tmp_path_factory):
    """The local engine's base URL, with the service beside it."""
    with serving.stack(tmp_path_factory.mktemp("stack") / "log", *ports):
        yield f"http://127.0.0.1:{ports[1]}/v1"


def plain(text: str) -> str:
    return re.sub(r"[^a-z ]", "", text.lower())


def test_a_spoken_question_is_answered_aloud_before_the_reply_is_written(
    chromium, ear, engine, ports, tmp_path
):
    """The first sound comes before the last word, and what leaves the speaker is the reply."""
    tab = open_tab(chromium.new_context(), f"http://localhost:{ports[0]}")
    tab.page.get_by_role("button", name="Settings").click()
    tab.page.get_by_label("What the model is told first").fill("Answer in five sentences.")
    tab.page.get_by_role("button", name="Done").click()
    with ear.listening() as recording:
        tab.ask_by_tapping()
        expect(tab.said).to_have_text("What is the capital of France?")
        tab.expect_state("Speaking")
        at_first_sound = len(tab.replies.inner_text())
        expect(tab.status).to_have_text("Ready", timeout=180_000)
        time.sleep(0.5)
    reply = tab.replies.inner_text()
    assert at_first_sound < len(reply)
    file = recording.save(tmp_path / "heard.wav")
    heard = requests.post(
        f"{engine}/audio/transcriptions",
        files={"file": ("heard.wav", file.read_bytes())},
        data={"model": "any"},
        timeout=120,
    ).json()["text"]
    assert jiwer.wer(plain(reply), plain(heard)) < 0.4
    assert tab.errors == []


def test_a_second_turn_remembers_the_first(chromium, engine, ports, tmp_path):
    """The model is told what was said before."""
    tab = open_tab(chromium.new_context(), f"http://localhost:{ports[0]}")
    for turn, words in enumerate(["My dog is called Rex.", "What is my dog called?"], start=1):
        speech = requests.post(
            f"{engine}/audio/speech",
            json={"model": "any", "input": words, "voice": "alloy", "response_format": "wav"},
            timeout=120,
        )
        file = tmp_path / f"{turn}.wav"
        file.write_bytes(speech.content)
        tab.send(file)
        expect(tab.said).to_have_count(turn)
        tab.expect_state("Speaking")
        expect(tab.status).to_have_text("Ready", timeout=120_000)
    expect(tab.replies.last).to_contain_text("Rex")
