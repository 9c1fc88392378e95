"""`make run`, opened in a browser: real models hear, think and speak."""

import os
import re
import signal
import time

import openai
import pytest
from playwright.sync_api import expect
from testing import gunicorn_process as serving
from testing.documented_setups import Terminal
from testing.word_errors import word_error_rate

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def ports():
    return serving.free_port(), serving.free_port()


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    return tmp_path_factory.mktemp("stack") / "log"


@pytest.fixture(scope="module")
def engine(ports, printed):
    """The local engine's base URL, with the service beside it."""
    run = serving.make_run(printed, *ports)
    try:
        Terminal(run, printed).wait_for("Try this: ")
        yield f"http://127.0.0.1:{ports[1]}/v1"
    finally:
        os.killpg(run.pid, signal.SIGINT)
        run.wait(15)


@pytest.fixture(scope="module")
def client(engine):
    with openai.OpenAI(base_url=engine, api_key="local", max_retries=0, timeout=120) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def models(client):
    return [model.id for model in client.models.list()]


@pytest.fixture
def tab(visit, engine, ports):
    return visit(f"http://localhost:{ports[0]}")


def test_the_pages_address_is_printed(visit, engine, ports, printed):
    """Once the engine answers; there no key has to be typed."""
    [address] = re.findall(r"Or talk to it: (\S+)", printed.read_text())
    assert address == f"http://localhost:{ports[0]}/"
    page = visit(address).page
    expect(page.get_by_text("The service needs an API key")).to_be_hidden()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("API key")).to_be_hidden()


def test_what_the_microphone_hears_is_answered_aloud(tab, ear, client, models, tmp_path):
    """What leaves the speaker is the reply, as the recogniser hears it."""
    with ear.listening() as recording:
        tab.ask_by_tapping()
        expect(tab.said).to_have_text("What is the capital of France?")
        tab.expect_state("Speaking")
        expect(tab.status).to_have_text("Ready", timeout=180_000)
        time.sleep(0.5)
    sound = recording.save(tmp_path / "heard.wav")
    heard = client.audio.transcriptions.create(model=models[0], file=sound).text
    assert word_error_rate(tab.replies.inner_text(), heard) < 0.4
    assert tab.errors == []
