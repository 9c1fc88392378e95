"""What is told of a failure: where it was, whose it is, and what can mend it."""

import pytest
from browser.tab import run

from parley import errors

pytestmark = pytest.mark.system
STAGES = ("Speech to text", "Reply", "Text to speech")
TOKENS = {"tokens": True}
MAIN = {"headers": {"X-OpenAI-API-Key": "k"}}
TTS_KEY = {"headers": {"X-TTS-API-Key": "k"}}
TTS_HOST = {"headers": {**MAIN["headers"], "X-TTS-Base-URL": "https://example.org/v1"}}
ALL = {"remedies": {"tts": ["voice", "model", "host"]}}
BOTH = {"remedies": {stage: ["model", "host"] for stage in ("stt", "text", "tts")}}
NONE = {"remedies": {"tts": []}}
FRENCH = {"fields": {"language": "fr"}}

REFUSED, FR = (f"The upstream refused the request, saying: {it}" for it in ("No.", "Language fr"))
FAILED = "The upstream failed, saying: No"
UNFOUND = "The upstream's host name was not found; check the base URL."
NOT_THERE = "The upstream does not allow this, saying: Not there"

HEARING, REPLY, SPEECH = (f"{stage}: The AI service" for stage in STAGES)
SAYING = "refused the request, saying:"
NO = f'{SAYING} "No."'
FORBIDS = "does not allow this"
NO_CALLS = "allows no more calls at the moment. Wait"
UNUSED = "answer could not be used. Try again"
UNREACHED = "could not be reached or failed"
CUT = "The model ended its reply early, at a limit or a filter."
ASKS = 'The host for "Text to speech" asks for a key: enter it in Settings'
THIS = "This service's account at the AI service"


def at(stage, said="", status=None, wait=None):
    """What is told of a failure there: a sentence, or that of a class of errors."""
    message = getattr(said, "message", said)
    return {"stage": stage, "message": message, "upstreamStatus": status, "retryAfter": wait}


FAILURES = {
    "audio_empty": [({}, {}, "This file is empty: send another one.")],
    "rate_limited": [
        ({"retryAfter": 2}, {}, f"The AI service {NO_CALLS} 2 seconds, then try again."),
        # A wait that is quoted is not counted down.
        (at("text", f"{FAILED}, in 9 s", wait=2), {}, f"{REPLY} failed. Wait 2"),
        (at("text", errors.RateLimited, wait=5400), BOTH, f"{REPLY} {NO_CALLS} 90 minutes, then"),
    ],
    "upstream_rejected": [
        (at("text", REFUSED), {}, f"{REPLY} {NO} Choose another model in Settings."),
        (at("text", REFUSED), {"remedies": {}}, f"{REPLY} {NO} Tell whoever runs this"),
        (at("tts", REFUSED), {}, f"{SPEECH} {NO} Choose another voice in Set"),
        (at("tts", REFUSED), ALL, f"{SPEECH} {NO} Choose another voice, model, or host"),
        (at("stt", REFUSED), {}, f"{HEARING} {NO} Send another recording,"),
        (
            at("stt", FR),
            FRENCH,
            f'{HEARING} {SAYING} "Language fr". Choose another language in Set',
        ),
        (at("stt", errors.UpstreamRejected, 404), BOTH, f"{STAGES[0]}: Nothing is at the address"),
    ],
    "upstream_malformed": [
        (at("text", errors.UpstreamMalformed), {}, f"{REPLY}'s {UNUSED}, or choose another"),
        (at("tts", errors.UpstreamMalformed), {}, f"{SPEECH}'s {UNUSED}."),
    ],
    "upstream_unavailable": [
        (at("text", FAILED), {}, f'{REPLY} failed, saying: "No". Try again, or choose'),
        (at("text", UNFOUND), {}, f"{REPLY}'s host name was not found. Try again, or"),
        (at("tts", errors.UpstreamUnavailable), BOTH, f"{SPEECH} {UNREACHED}. Try agai"),
        (at("tts", errors.UpstreamUnavailable), NONE, f"{SPEECH} {UNREACHED}; try again"),
    ],
    "text_incomplete": [
        (at("text", errors.TextIncomplete), BOTH, f"Reply: {CUT} Ask otherwise, or cho")
    ],
    "base_url_refused": [(at("tts"), BOTH, 'The service may not call the host for "Text to')],
    "quota_exhausted": [
        (at("tts", errors.QuotaExhausted), TTS_KEY, f"{STAGES[2]}: The key's account at the AI"),
        (at("tts"), {}, THIS),
        (at("tts"), TOKENS, THIS),
    ],
    "api_key_rejected": [
        (at("text", NOT_THERE, 403), MAIN, f'{REPLY} {FORBIDS}, saying: "Not there". Check the'),
        (
            at("text", errors.Forbidden, 403),
            TOKENS,
            f"{REPLY} {FORBIDS}. Tell whoever runs this service, and try",
        ),
        (at("tts"), MAIN, "The API key was refused: check it in"),
        (at("tts"), {}, "The AI service asks for an API key: enter one"),
        (at("tts"), TTS_HOST, ASKS),
        (at("tts"), TTS_KEY, 'The key for "Text to speech" was refused'),
        (at("request"), TOKENS, "The access token was refused"),
        (at("tts"), TOKENS, "The AI service refused this service's"),
    ],
    "api_key_unusable": [
        (at("openai"), {}, "No API key has spaces, or letters other than"),
        (at("openai"), TOKENS, "No access token has spaces, or"),
    ],
    "api_key_missing": [
        (at("request"), TOKENS, "An access token is needed"),
        (at("tts"), TOKENS, "This service has no key for the AI"),
        (at("tts"), {}, ASKS),
    ],
}


@pytest.mark.parametrize(
    ("code", "told", "sent", "sentence"),
    [(code, *row) for code, rows in FAILURES.items() for row in rows],
)
def test_a_failure_names_the_culprit_and_the_remedy(page, code, told, sent, sentence):
    """The stage, and what to do; whose key or host it is only where that is known."""
    script = """
    const [code, told, sent] = argument;
    const remedies = { stt: ["model"], text: ["model"], tts: ["voice"] };
    const given = { tokens: false, headers: {}, fields: {}, remedies, ...sent };
    return new it.Failure(code, told).of(given).sentence;
    """
    assert run(page, "failures", script, [code, told, sent]).startswith(sentence)


@pytest.mark.parametrize(
    ("failure", "blocks", "stands", "mends"),
    [
        (["quota_exhausted", {"stage": "text"}], False, True, "keys"),
        (["operator_quota_exhausted", {"stage": "tts"}], False, True, "keys"),
        (["rate_limited", {"retryAfter": 20}], False, True, ""),
        (["rate_limited", {"stage": "tts", "retryAfter": 20}], False, True, "keys tts_model"),
        (["api_key_rejected", {"stage": "tts"}], True, True, "keys"),
        (["insecure"], True, True, ""),
        (["overloaded"], False, False, ""),
        (["upstream_unavailable", {"stage": "stt"}], False, False, "keys language stt_model"),
        (["upstream_rejected", at("tts", REFUSED, 400)], False, True, "keys voice tts_model"),
        (["upstream_rejected", at("text", REFUSED, 404)], False, True, "keys text_model"),
    ],
)
def test_what_keeps_everybody_from_talking_and_what_mends_it(page, failure, blocks, stands, mends):
    """What stands is there when it is told no longer; no other choice in Settings mends it."""
    script = """const failure = new it.Failure(...argument);
    const models = ["stt_model", "text_model", "tts_model"];
    const mends = ["keys", "voice", "language", "system_prompt", ...models].filter(
      (name) => failure.isMendedBy(new Set([name])));
    return [failure.blocks, failure.stands, mends.join(" ")];"""
    assert run(page, "failures", script, failure) == [blocks, stands, mends]
