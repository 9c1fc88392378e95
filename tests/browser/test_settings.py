"""Settings: what is offered, what reaches the upstream, and that keys stay in memory."""

import json

import pytest
from browser.speaking_upstream import prepare, refuse, write
from playwright.sync_api import expect
from testing import fake_openai as upstreams
from testing.builders import KEY

pytestmark = pytest.mark.system
STAGES = {"stt": "Speech to text", "text": "Reply", "tts": "Text to speech"}
STAGE_KEY = "sk-Hd7uQ2xV9eM4tB8zK1nW"
UNNAMED = [{"kind": "audioinput", "label": "", "deviceId": ""}]
TOKEN = "a-token-of-the-teams-own-20"
EVERYTHING = """async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state, name,
  document.documentElement.outerHTML, await indexedDB.databases(), await caches.keys(),
  [...document.querySelectorAll("input, textarea, select")].map((field) => field.value),
])"""


def of_stage(upstream, stage):
    return next(request for request in upstream.requests if request.stage == stage)


@pytest.fixture
def models(tmp_path):
    """A list with a model that ends, one that takes no language, and one with other voices."""
    (tmp_path / "MODEL_LIST.MD").write_text(
        "## stt\n| model | default | shuts down | replacement | language |\n|---|---|---|---|---|\n"
        "| whisper-1 | yes | 2099-02-26 | gpt-transcribe | language |\n| gpt-transcribe | | | | |\n"
        "\n## text\n| model | default |\n|---|---|\n| gpt-4o | yes |\n"
        "\n## tts\n| model | default | voices |\n|---|---|---|\n"
        "| tts-1 | yes | alloy nova |\n| tts-2 | | cedar |\n| * | | |\n"
    )
    return str(tmp_path / "MODEL_LIST.MD")


def test_models_are_offered_with_the_day_that_each_ends(visit, serve, upstream, models):
    """The choice reaches the upstream, with all else that was chosen."""
    tab = visit(serve(PARLEY_MODEL_LIST=models).url)
    with tab.settings() as page:
        expect(page.get_by_label("API key")).to_be_hidden()
        page.get_by_text("Advanced").click()
        offered = page.get_by_label("Speech to text")
        expect(offered.locator("option")).to_contain_text(["whisper-1 (ends Feb 26, 2099)"])
        page.get_by_label("Your language").select_option(label="French")
        page.get_by_label("What the model is told first").fill("Rhyme.")
    tab.ask(1)
    assert b'name="language"\r\n\r\nfr\r\n' in of_stage(upstream, "stt").body
    assert json.loads(of_stage(upstream, "text").body)["messages"][0]["content"] == "Rhyme."
    upstream.requests.clear()
    with tab.settings() as page:
        offered.select_option("gpt-transcribe")
        expect(page.get_by_label("Your language")).to_be_hidden()
    tab.ask(2)
    heard = of_stage(upstream, "stt").body
    remedies = {"tts": "Choose another voice or model", "stt": "or choose another model"}
    for stage, remedy in remedies.items():
        upstream.answers[stage] = refuse("400 Bad Request")
        tab.send(fails=f'{STAGES[stage]}: The AI service refused the request, saying: "No." ')
        expect(tab.alert).to_contain_text(f"{remedy} in Settings.")
        expect(tab.button("Open Settings")).to_be_visible()
    assert b"gpt-transcribe" in heard
    assert b'name="language' not in heard
    del upstream.answers["stt"]
    prepare(upstream, 0.1)
    upstream.requests.clear()
    offers = "[...document.getElementById('voice').list.options].map(({ value }) => value)"
    with tab.settings() as page:
        voice, model = page.get_by_label("Voice"), page.get_by_label("Text to speech")
        assert page.evaluate(offers) == ["alloy", "nova"]
        expect(voice).to_have_attribute("placeholder", "alloy")
        model.fill("tts-2")
        assert page.evaluate(offers) == ["cedar"]
        expect(voice).to_have_attribute("placeholder", "cedar")
        model.fill("another")
        assert page.evaluate(offers) == []
        voice.fill("mine")
    tab.button("Try again").click()
    tab.expect_turn(4)
    spoken = json.loads(of_stage(upstream, "tts").body)
    assert (spoken["model"], spoken["voice"]) == ("another", "mine")


def test_keys_are_kept_in_memory_alone(visit, serve, upstream):
    """In no storage, no URL, no attribute, no field, and gone after a reload."""
    service = serve(PARLEY_KEY_REQUIRED="yes")
    tab = visit(service.url)
    urls = []
    tab.page.on("request", lambda request: urls.append(request.url))
    with tab.settings() as page:
        page.get_by_label("API key").fill(KEY)
        tab.fold_hosts()
        tab.field("Reply", "Key").fill(STAGE_KEY)
    tab.ask(1)
    assert of_stage(upstream, "stt").headers["authorization"] == f"Bearer {KEY}"
    assert of_stage(upstream, "text").headers["authorization"] == f"Bearer {STAGE_KEY}"
    for key in (KEY, STAGE_KEY):
        assert key not in tab.page.evaluate(EVERYTHING)
        assert key not in "".join(urls)
        assert key not in service.log
    assert tab.page.context.storage_state() == {"cookies": [], "origins": []}
    with tab.settings() as page:
        expect(page.get_by_label("API key")).to_have_attribute("placeholder", "A key is set")
        page.get_by_role("button", name="Forget").first.click()
        expect(page.get_by_label("API key")).to_have_attribute("placeholder", "")
    tab.tap(fails="An API key is needed")
    tab.reload()
    tab.tap(fails="An API key is needed")


def test_a_stage_on_a_host_of_its_own(visit, serve, upstream):
    """Folded away until it is asked for; only this host gets its key, and any model's name."""
    with upstreams.running() as other:
        tab = visit(serve(PARLEY_ALLOWED_BASE_URLS=prepare(other).url).url)
        with tab.settings() as page:
            host = tab.field(STAGES["tts"], "Host")
            expect(host).to_be_hidden()
            tab.fold_hosts()
            host.fill(other.url)
            tab.field(STAGES["tts"], "Model, as it is named there").fill("kokoro/v1")
            tab.field(STAGES["tts"], "Key").fill(STAGE_KEY)
            page.get_by_label("Voice").fill("af_sky")
            tab.fold_hosts()
            expect(page.get_by_text("in use").last).to_be_visible()
        upstream.answers["text"] = write()  # It hears nothing of the speech.
        tab.ask(1)
        spoken = of_stage(other, "tts")
        assert spoken.headers["authorization"] == f"Bearer {STAGE_KEY}"
        body = json.loads(spoken.body)
        assert (body["model"], body["voice"]) == ("kokoro/v1", "af_sky")
        assert {request.stage for request in other.requests} == {"tts"}
        assert {request.stage for request in upstream.requests} == {"stt", "text"}
        assert not any("authorization" in request.headers for request in upstream.requests)
        other.requests.clear()
        upstream.requests.clear()
        with tab.settings() as page:
            page.get_by_label("Base URL").fill("http://127.0.0.1:1/v1")
        tab.send(fails="The service may not call this base URL: change it in Settings")
        expect(tab.button("Open Settings")).to_be_visible()
        assert other.requests == upstream.requests == []


def test_no_key_is_asked_for_where_every_stage_has_a_host(visit, serve, upstream):
    """The service's own upstream is not called then. A host's key is for no other."""
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes", PARLEY_ALLOWED_BASE_URLS="*").url)
    with tab.settings():
        tab.fold_hosts()
        host, key = (tab.field(STAGES["tts"], label) for label in ("Host", "Key"))
        key.fill(STAGE_KEY)
        for url, kept in (("https://voice.example/v1", "A key is set"), ("", "")):
            host.fill(url)
            host.press("Tab")
            expect(key).to_have_attribute("placeholder", kept)
        for name in STAGES.values():
            tab.field(name, "Host").fill(upstream.url)
    expect(tab.page.get_by_text("The service needs an API key")).to_be_hidden()
    tab.ask(1)
    assert not any("authorization" in request.headers for request in upstream.requests)


def test_a_stage_of_the_operators_needs_no_key(visit, serve, upstream):
    """With keys for the other stages nothing is missing."""
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes", PARLEY_STT_BASE_URL=upstream.url).url)
    missing = tab.page.get_by_text("The service needs an API key")
    with tab.settings():
        tab.fold_hosts()
        tab.field("Reply", "Key").fill(STAGE_KEY)
    expect(missing).to_be_visible()
    with tab.settings():
        tab.field(STAGES["tts"], "Key").fill(STAGE_KEY)
    expect(missing).to_be_hidden()
    tab.ask(1)


@pytest.mark.parametrize(("name", "nonsense"), [("Base URL", "nonsense"), ("Host", "ftp://x.org")])
def test_what_is_no_url_is_not_kept(tab, upstream, name, nonsense):
    """Done says what is wrong with it; Escape brings back what stood there before."""
    with tab.settings() as page:
        tab.fold_hosts()
        url = page.get_by_label(name).last
        url.fill(nonsense)
        page.get_by_text("Advanced").click()
        page.get_by_role("button", name="Done").click()
        expect(url).to_be_focused()
        sentence = url.evaluate("({ validationMessage }) => validationMessage")
        assert sentence.startswith("Enter an address that begins with https://, such as")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.get_by_role("button", name="Settings", exact=True).click()
        expect(url).to_have_value("")
        expect(page.get_by_text("in use").first).to_be_hidden()
    tab.ask(1)
    assert upstream.requests


def test_a_voice_that_the_model_does_not_have(tab):
    """The turn says who speaks instead, once; where the model has it, there is nothing to say."""
    for turn, voice in enumerate(("Coral", "coral"), 1):
        with tab.settings() as page:
            page.get_by_label("Voice").fill(voice)
        tab.ask(turn)
        expect(tab.page.locator(".voice")).to_have_text(
            ["Spoken by alloy: the model has no voice named Coral."]
        )


def test_a_prompt_that_is_full(tab, upstream):
    """It says that the rest is left out; all that it holds is sent, lines and all."""
    text = ("Rhyme " * 13 + "\n") * 105
    full = tab.page.get_by_text("It is full: what is beyond 8,000 characters is left out.")
    with tab.settings() as page:
        page.get_by_label("What the model is told first").focus()
        page.keyboard.insert_text(text)
        expect(full).to_be_visible()
    tab.ask(1)
    [prompt, _] = json.loads(of_stage(upstream, "text").body)["messages"]
    assert prompt["content"] == text[:8000].strip()
    with tab.settings() as page:
        page.get_by_label("What the model is told first").fill("Rhyme.")
        expect(full).to_be_hidden()
        page.get_by_label("What the model is told first").fill(text[:8000])
        expect(full).to_be_visible()
        page.get_by_role("button", name="Forget it").click()
        expect(full).to_be_hidden()


@pytest.mark.parametrize(
    ("devices", "hinted"),
    [
        ([], False),
        (UNNAMED, True),
        ([{"kind": "audioinput", "label": "One", "deviceId": "1"}], False),
    ],
    ids=["none", "unnamed", "named"],
)
def test_why_no_other_microphones_are_offered(tab, devices, hinted):
    """Only where it is so: not before the browser has told which there are."""
    script = """navigator.mediaDevices.enumerateDevices = () => new Promise((resolve) => {
      window.tell = resolve;
    });"""
    tab.run(script)
    hint = tab.page.get_by_text("Browsers list the others once you have talked")
    for told, shown in ((UNNAMED, True), (devices, hinted)):
        with tab.settings():
            expect(hint).to_be_hidden()
            tab.run("window.tell(arguments[0])", told)
            expect(hint).to_be_visible(visible=shown)
