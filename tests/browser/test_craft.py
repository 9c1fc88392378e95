"""What is not heard: access for everyone, the key's secrecy, nothing that leaves the host."""

import re

import pytest
from browser.speaking_upstream import write
from playwright.sync_api import expect
from testing.builders import KEY, ROOT
from testing.fake_openai import TRANSCRIPT
from testing.gunicorn_process import LASTING_LIST

pytestmark = pytest.mark.system
QUESTION = ROOT / "examples" / "question.wav"
AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


def violations(tab):
    """What axe-core finds, rule by rule."""
    tab.page.evaluate(AXE.read_text())
    found = tab.page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_violation(visit, serve, scheme, device):
    """Idle, with a turn and a failure, and in Settings."""
    url = serve(PARLEY_KEY_REQUIRED="yes").url
    tab = visit(url, color_scheme=scheme, reduced_motion="reduce", **device)
    assert violations(tab) == []
    tab.talk.click()
    tab.expect_failure("An API key is needed")
    assert violations(tab) == []
    tab.page.get_by_role("button", name="Open Settings").click()
    tab.page.get_by_label("API key").fill(KEY)
    assert violations(tab) == []
    tab.page.get_by_role("button", name="Done").click()
    tab.send(QUESTION)
    tab.expect_state("Speaking")
    assert violations(tab) == []
    tab.expect_state("Ready")
    assert violations(tab) == []
    narrow = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert tab.page.evaluate(narrow)


def test_the_key_is_kept_in_memory_alone(visit, serve):
    """In no storage, no URL, no attribute, no field, and gone after a reload."""
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes").url)
    urls = []
    tab.page.on("request", lambda request: urls.append(request.url))
    tab.page.get_by_role("button", name="Settings").click()
    tab.page.get_by_label("API key").fill(KEY)
    tab.page.get_by_role("button", name="Done").click()
    tab.send(QUESTION)
    expect(tab.said).to_have_text(TRANSCRIPT)
    tab.expect_state("Ready")
    everything = """async () => JSON.stringify([
      {...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state, name,
      document.documentElement.outerHTML, await indexedDB.databases(), await caches.keys(),
      [...document.querySelectorAll("input, textarea, select")].map((field) => field.value),
    ])"""
    assert KEY not in tab.page.evaluate(everything)
    assert KEY not in "".join(urls)
    assert tab.page.context.storage_state() == {"cookies": [], "origins": []}
    tab.page.reload()
    tab.talk.click()
    tab.expect_failure("An API key is needed")


def test_only_states_and_failures_are_announced(tab):
    """A live reply would talk over the voice."""
    expect(tab.page.get_by_role("log")).to_have_attribute("aria-live", "off")
    live = tab.page.locator("[aria-live]:not([aria-live=off]), [role=status], [role=alert]")
    expect(live).to_have_count(2)


def test_the_keyboard_reaches_every_control(tab):
    """By Tab alone, from the top to Talk and the file."""
    names = []
    for _ in range(3):
        tab.page.keyboard.press("Tab")
        names.append(tab.page.evaluate("document.activeElement.id"))
    assert names == ["open-settings", "talk", "file"]


def test_text_runs_from_right_to_left_where_its_script_does(tab, upstream):
    """Each text by its own first letter."""
    upstream.answers["text"] = write(["عاصمة فرنسا هي باريس. "])
    tab.send(QUESTION)
    expect(tab.replies).to_contain_text("باريس")
    assert tab.replies.evaluate("(reply) => getComputedStyle(reply).direction") == "rtl"
    assert tab.said.evaluate("(said) => getComputedStyle(said).direction") == "ltr"


def test_settings_offer_what_the_service_has(visit, serve, upstream, tmp_path):
    """The models with the days that they end on; the choice reaches the upstream."""
    rows = (
        "| model | default | shuts down | replacement |\n|---|---|---|---|\n"
        "| whisper-1 | yes | 2099-02-26 | gpt-transcribe |\n| gpt-transcribe | | | |"
    )
    listed = re.sub(r"(?s)(?<=## stt\n\n).*?(?=\n\n## text)", rows, LASTING_LIST.read_text())
    (tmp_path / "MODEL_LIST.MD").write_text(listed)
    tab = visit(serve(PARLEY_MODEL_LIST=str(tmp_path / "MODEL_LIST.MD")).url)
    tab.page.get_by_role("button", name="Settings").click()
    expect(tab.page.get_by_label("API key")).to_be_hidden()
    models = tab.page.get_by_label("Speech to text")
    expect(models.locator("option")).to_contain_text(["Default: whisper-1 (ends Feb 26, 2099)"])
    models.select_option("gpt-transcribe")
    tab.page.get_by_label("What the model is told first").fill("Rhyme.")
    tab.page.get_by_role("button", name="Done").click()
    tab.send(QUESTION)
    expect(tab.said).to_have_text(TRANSCRIPT)
    tab.expect_state("Ready")
    heard, thought = upstream.requests[:2]
    assert b"gpt-transcribe" in heard.body
    assert b"Rhyme." in thought.body


def test_motion_can_be_switched_off(visit, serve):
    """Nothing is animated for whom motion disturbs."""
    tab = visit(serve().url, reduced_motion="reduce")
    tab.send(QUESTION)
    tab.expect_state("Speaking")
    assert tab.page.evaluate("document.getAnimations().length") == 0
