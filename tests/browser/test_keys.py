"""Keys that are missing or refused: the page says whose, and where to enter it."""

import pytest
from browser.speaking_upstream import prepare, refuse, speak
from browser.test_settings import EVERYTHING, TOKEN, of_stage
from playwright.sync_api import expect
from testing.builders import KEY
from testing.fake_openai import TRANSCRIPT

pytestmark = pytest.mark.system
CREDIT = "You exceeded your current quota."
WAITS = "The wait is not over"


def test_without_a_key(visit, serve, upstream):
    """It is asked for before anything is recorded, and Settings are one click away."""
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes").url)
    needs, invitation = map(tab.page.get_by_text, ("The service needs an API key", "Say some"))
    expect(needs).to_be_visible()
    expect(invitation).to_be_hidden()
    tab.expect_state("Not ready")
    tab.tap(fails="An API key is needed: enter yours in Settings")
    expect(needs).to_be_hidden()
    tab.expect_state("Not ready")
    tab.button("Open Settings").click()
    tab.page.get_by_label("API key").fill(KEY)
    tab.button("Done").click()
    expect(tab.alert).to_be_empty()
    tab.expect_state("Ready")
    expect(invitation).to_be_visible()
    tab.send()
    expect(tab.said).to_have_text(TRANSCRIPT)
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("stage", "answer", "field", "mended", "rest"),
    [
        ("text", refuse("401 No"), "voice", False, "Not ready"),
        ("text", refuse("404 No"), "voice", False, "Another try may fail"),
        ("stt", refuse("429 No", "Try again in 300 s."), "voice", False, WAITS),
        ("stt", refuse("429 No", CREDIT), "language", False, "Another try may fail"),
        ("tts", refuse("400 No"), "language", False, "Another try may fail"),
        ("tts", refuse("400 No"), "voice", True, "Ready"),
    ],
)
def test_what_is_told_goes_only_once_settings_may_have_mended_it(
    tab, upstream, stage, answer, field, mended, rest
):
    """No voice mends a model, nor a wait, nor credit, nor a key that is missing."""
    upstream.answers[stage] = answer
    tab.send()
    again = tab.page.locator("#try-again")
    expect(again).to_be_visible()
    words, told = again.inner_text().removesuffix(" now").lower(), tab.text_of("#alert")
    with tab.settings() as page:
        if field == "language":
            page.locator("#language").select_option("fr")
        else:
            page.locator(f"#{field}").fill("nova")
    expect(tab.page.locator("#status")).to_have_text(rest)
    if mended:
        expect(tab.page.locator("#alert")).to_have_text(f"Settings were changed: {words}.")
    elif rest != WAITS:  # Which is counted down.
        expect(tab.page.locator("#alert")).to_have_text(told)
    prepare(upstream, 0.1).answers.pop("stt", None)
    again.click()
    tab.expect_turn(1 if stage != "tts" else 2)
    expect(tab.alert).to_be_empty()


def test_a_key_of_a_stage_that_cannot_be_one_or_is_refused(tab, upstream):
    """It is named, and so is its field; by keyboard nobody has to look for where they were."""
    press = tab.page.keyboard.press
    with tab.settings() as page:
        tab.fold_hosts()
        key = tab.field("Text to speech", "Key")
        done = page.get_by_role("button", name="Done")
        for wrong, leave in (("sk-Grüße", lambda: press("Tab")), ("sk- 1", done.click)):
            key.fill(wrong)
            leave()
            expect(key).to_be_focused()
            expect(key).to_have_value(wrong)
            assert key.evaluate("({ validationMessage }) => validationMessage").startswith("A key ")
        key.fill(f" {KEY} ")
    upstream.answers["tts"] = refuse("401 Unauthorized")
    tab.send(fails='The key for "Text to speech" was refused: check it in Settings')
    tab.expect_state("Not ready")
    tab.button("Open Settings").focus()
    press("Enter")
    expect(key).to_be_focused()
    key.fill(f"{KEY}-mended")
    press("Escape")
    expect(tab.button("Ask again")).to_be_focused()
    upstream.answers["tts"] = speak(0.1)
    press("Enter")
    tab.expect_turn(2)
    expect(tab.talk).to_be_focused()


def test_a_key_is_asked_for_until_the_host_answers_otherwise(tab, upstream):
    """Till then Settings have a field for it, however they are opened."""
    upstream.answers["text"] = refuse("401 Unauthorized")
    tab.send(fails="The AI service asks for an API key")
    with tab.settings() as page:
        expect(page.get_by_label("API key")).to_be_focused()
    expect(tab.page.locator("#status")).to_have_text("Not ready")
    upstream.answers["text"] = refuse("400 Bad Request", "Too long.")
    tab.button("Try again").click()
    tab.expect_failure('Reply: The AI service refused the request, saying: "Too long')
    expect(tab.page.locator("#status")).to_have_text("Another try may fail")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "The AI service asks for an API key"),
        (KEY, "The API key was refused: check it in Settings"),
    ],
)
def test_a_key_that_was_asked_for_or_refused_stays_so_until_one_is_set(tab, upstream, key, words):
    """Whether or not that is still told; the same again is another try."""
    if key:
        with tab.settings() as page:
            page.get_by_text("Advanced").click()
            page.get_by_label("Base URL").fill(upstream.url)  # Which brings the field.
            page.get_by_label("API key").fill(key)
            page.get_by_label("Base URL").fill("")
    upstream.answers["text"] = refuse("401 Unauthorized")
    tab.ask_by_tapping()
    tab.expect_failure(words)
    tab.tap(fails=words)  # Nobody speaks in vain, nor is what was said lost.
    expect(tab.button("Send what was recorded")).to_be_visible()
    tab.button("Clear").click()
    expect(tab.alert).to_be_empty()
    expect(tab.page.locator("#status")).to_have_text("Not ready")
    tab.tap(fails=words)
    assert not tab.has_shown("Listening")
    expect(tab.button("Send what was recorded")).to_be_hidden()
    if not key:
        tab.press("Escape")
    expect(tab.page.locator("#status")).to_have_text("Not ready")
    tab.button("Open Settings" if key else "add yours").click()
    expect(tab.page.get_by_label("API key")).to_be_focused()
    tab.page.get_by_label("API key").fill(KEY)
    tab.button("Done").click()
    expect(tab.page.locator("#status")).to_have_text("Ready")


def test_users_with_tokens(visit, serve, upstream):
    """A token is asked for, no host and no key; the operator's keys are the operator's matter."""
    service = serve(PARLEY_CALLER_TOKENS=TOKEN, PARLEY_OPENAI_API_KEY=KEY)
    tab = visit(service.url)
    expect(tab.page.get_by_text("The service needs an access token")).to_be_visible()
    tab.tap(fails="An access token is needed: enter yours in Settings")
    with tab.settings() as page:
        expect(page.get_by_label("Base URL")).to_be_hidden()
        expect(page.get_by_text("A host for each stage")).to_be_hidden()
        page.get_by_label("Access token").fill("not-the-token-of-the-team")
    tab.send(fails="The access token was refused: check it in Settings")
    tab.expect_state("Not ready")
    tab.tap(fails="The access token was refused")
    expect(tab.button("Send the file again")).to_be_visible()
    with tab.settings() as page:  # What cannot be sent is not asked for.
        page.get_by_role("button", name="Forget", exact=True).click()
    tab.expect_failure("An access token is needed: enter yours in Settings")
    tab.expect_state("Not ready")
    with tab.settings() as page:
        page.get_by_label("Access token").fill(TOKEN)
    tab.ask(1)
    assert of_stage(upstream, "stt").headers["authorization"] == f"Bearer {KEY}"
    assert TOKEN not in tab.page.evaluate(EVERYTHING)
    upstream.answers["stt"] = refuse("401 Unauthorized")
    tab.send(fails="The AI service refused this service's own key: tell whoever")
    expect(tab.button("Open Settings")).to_be_hidden()


def test_the_focus_stays_where_something_is_forgotten(visit, serve):
    """By keyboard: in the key's field, and beside the choices, which are forgotten once."""
    tab = visit(serve(PARLEY_KEY_REQUIRED="yes").url)
    with tab.settings() as page:
        key, forget = page.get_by_label("API key"), page.get_by_role("button", name="Forget it")
        expect(forget).to_be_hidden()
        key.fill(KEY)
        page.get_by_label("Voice").fill("nova")
        page.get_by_role("button", name="Forget", exact=True).press("Enter")
        expect(key).to_be_focused()
        forget.press("Enter")
        expect(page.get_by_text("What was chosen before is forgotten.")).to_be_focused()
        expect(forget).to_be_hidden()
