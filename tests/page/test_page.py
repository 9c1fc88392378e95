"""The page to talk to the service, as it is served."""

import json
import re
from datetime import date

import pytest
from testing.builders import KEY, ROOT, make_app

from parley.page.blueprint import ASSETS

LATER = {"voice-model.bin", "voice-model.txt"}
"""What is loaded when a conversation begins, and its licence, which nobody loads."""


def test_assets_are_asked_for_anew_and_sent_once(client):
    """A deploy is never mixed with an old module; what has not changed is not sent again.

    Each has a type that browsers run, whatever the system calls it.
    """
    assert "speaker-worklet.js" in ASSETS
    for name in {"", "page.json", *ASSETS} - {"index.html"}:  # Which is at / alone.
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        assert answer.data == ASSETS.get(name or "index.html", answer.data)
        assert answer.headers["Cache-Control"] == "no-cache"
        assert client.head(f"/{name}").headers["ETag"] == answer.headers["ETag"]
        again = client.get(f"/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        if name.endswith(".js"):
            assert answer.content_type == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("address", ["/", "/main.js"])
def test_the_page_may_do_what_it_needs_and_nothing_else(client, address):
    """No inline script or style, no other host, no frame around it; the microphone is its own."""
    headers = client.get(address).headers
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in headers["Content-Security-Policy"].split(";")
    )
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Permissions-Policy"] == "microphone=(self)"


def test_the_page_is_small():
    """All of it together: what a phone on a slow network loads before a conversation is wanted."""
    assert sum(len(ASSETS[name]) for name in ASSETS.keys() - LATER) < 300_000


def test_an_operator_may_want_no_page():
    """PARLEY_PAGE=no: nothing is at its addresses."""
    client = make_app(PARLEY_PAGE="no").test_client()
    for address in ("/", "/main.js", "/page.json"):
        assert client.get(address).status_code == 404
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("day", "default", "ended"),
    [(date(2026, 11, 1), "gpt-4o", None), (date(2027, 2, 1), "gpt-6-luna", "gpt-4o")],
)
def test_the_page_is_told_what_is_offered_on_the_day(day, default, ended):
    """Models that have ended are not offered, and the default is what is used."""
    offer = make_app(today=day).test_client().get("/page.json").get_json()
    text = offer["stages"]["text"]
    names = [model["name"] for model in text["models"]]
    assert offer["key_required"] is True
    assert text["default"] == default
    assert default in names
    assert ended not in names
    assert {model["name"]: model["ends"] for model in text["models"]}["gpt-5.1"] == "2027-04-01"
    assert "sage" in offer["stages"]["tts"]["models"][0]["voices"]
    # A language can be chosen only where the model can be told of it.
    assert offer["stages"]["stt"]["models"][0]["language"] is True
    assert text["models"][0]["language"] is False


def test_what_the_page_is_told_is_documented(client):
    """API_DOCS.md shows page.json with the keys that it has."""
    document = (ROOT / "API_DOCS.md").read_text().partition("### The page")[2]
    [sample] = re.findall(r"```json\n(.*?)```", document, re.DOTALL)
    shown, offer = json.loads(sample), client.get("/page.json").get_json()
    assert list(shown) == list(offer)
    assert list(shown["stages"]) == list(offer["stages"])
    for stage in offer["stages"]:
        assert list(shown["stages"][stage]) == list(offer["stages"][stage])
    shown, offer = (told["stages"]["stt"]["models"][0] for told in (shown, offer))
    assert list(shown) == list(offer)


def test_what_is_the_operators_own_is_not_told():
    """A token or a key, though a token is asked for; a prompt, or where a stage is."""
    own = {"PARLEY_CALLER_TOKENS": "a-token-of-the-teams-own", "PARLEY_OPENAI_API_KEY": KEY}
    own |= {
        "PARLEY_SYSTEM_PROMPT": "Talk as a pirate.",
        "PARLEY_TTS_BASE_URL": "https://tts.example/v1",
    }
    answer = make_app(PARLEY_KEY_REQUIRED="no", **own).test_client().get("/page.json")
    told = answer.get_json()
    assert (told["tokens"], told["key_required"]) == (True, True)
    assert not any(secret in answer.text for secret in own.values())
    hosts = {stage: offer["own_host"] for stage, offer in told["stages"].items()}
    assert hosts == {"stt": False, "text": False, "tts": True}
