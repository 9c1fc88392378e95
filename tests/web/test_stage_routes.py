"""A host and a key for each stage, by the contract's rules, against what upstreams were sent."""

import itertools
import random
from functools import cache

import pytest
from testing import conversation_forms as forms
from testing import recording_hosts
from testing.builders import make_app
from testing.recording_hosts import STAGES, Hosts, shows
from testing.stage_rules import KEY_FLAGS, KEYS, OPERATORS_KEYS, PORT, TOKEN, URLS, told

from parley.errors import ConfigurationError

HEADER = {"main": "X-OpenAI-", "stt": "X-STT-", "text": "X-Text-", "tts": "X-TTS-"}


@pytest.fixture(scope="module")
def hosts():
    with recording_hosts.running() as running:
        yield running


@cache
def app_of(urls: tuple[str, ...], flags: frozenset[str], tokens: str, required: str):
    """The application with the operator's part of the flags; None if it does not start."""
    given = {"url": dict(zip(PORT, urls, strict=True)), "key": KEYS}
    variables = {"PARLEY_ALLOWED_BASE_URLS": "*", "PARLEY_KEY_REQUIRED": required}
    if tokens != "off":
        variables["PARLEY_CALLER_TOKENS"] = f"another-token-0123456789 {TOKEN}"
    for flag in {*flags, "url operator main"}:
        kind, _, name = flag.partition(" operator ")
        variable = f"{name.replace('main', 'openai')}_{'base_url' if kind == 'url' else 'api_key'}"
        variables[f"PARLEY_{variable.upper()}"] = given[kind][f"operator {name}"]
    try:
        return make_app(**variables)
    except ConfigurationError:
        return None


def converse(hosts: Hosts, flags, tokens, required, fault, accept="*/*", model=""):
    """One conversation with what is given; the answer, or None where the service does not start."""
    urls = {name: hosts.url(port, name.replace(" ", "-")) for name, port in PORT.items()}
    operators = frozenset(flag for flag in flags if " operator " in flag)
    app = app_of(tuple(urls.values()), operators, tokens, required)
    if app is None:
        return None
    headers = {"Accept": accept}
    for flag in flags - operators:
        kind, _, name = flag.partition(" caller ")
        header = HEADER[name] + ("Base-URL" if kind == "url" else "API-Key")
        headers[header] = (urls if kind == "url" else KEYS)[f"caller {name}"]
    if tokens != "off":
        headers.pop("X-OpenAI-API-Key", None)
        sent = {"right": TOKEN, "wrong": "no-token-of-this-team", "none": ""}[tokens]
        headers["Authorization"] = f"Bearer {sent}"
    hosts.begin(fault)
    return forms.converse(app.test_client(), headers, tts_model=model)


def check(hosts: Hosts, flags, tokens, required, fault="none", **how):
    """One conversation, compared with the contract; return whether it went on to its hosts."""
    answer = converse(hosts, flags, tokens, required, fault, **how)
    says = told(flags, tokens, key_required=required == "yes")
    if says == "no start":
        assert answer is None
        return False
    arrived = hosts.recorded()
    if isinstance(says, tuple):
        assert (answer.status_code, answer.json["errors"][0]["code"]) == says
        assert answer.json["errors"][0]["stage"] == "request"
        assert arrived == {}
        assert ("WWW-Authenticate" in answer.headers) is (says[0] == 401)
        return False
    assert answer.status_code == status_of(fault, how.get("accept"))
    last = fault.partition("redirect ")[2] or "tts"
    asked = STAGES[: STAGES.index(last) + 1]
    assert set(arrived) == set(asked)
    for stage in asked:
        host, key = says[stage]
        calls = arrived[stage]
        assert {base for base, _ in calls} == {hosts.url(PORT[host], host.replace(" ", "-"))}
        assert len(calls) == (2 if fault == "500 first" else 1)
        for _, request in calls:
            authorization = f"Bearer {KEYS[key]}" if key else None
            assert request.headers.get("authorization") == authorization
            foreign = [name for name in KEYS if name != key and shows(request.sent, KEYS[name])]
            assert not foreign, (stage, foreign)
            assert not shows(request.sent, TOKEN)
            assert (key is None) is (b"uthorization" not in request.sent)
            assert request.sent.count(KEYS[key].encode() if key else b"Bearer") == (1 if key else 0)
    for name, key in KEYS.items():
        assert not shows(answer.data + str(answer.headers).encode(), key), name
    return True


def status_of(fault: str, accept: str | None) -> int:
    if fault == "redirect stt":
        return 400
    return 206 if fault.startswith("redirect") and accept != "text/event-stream" else 200


def test_every_combination_for_one_stage(hosts, at_once):
    """URLs, keys, hosts, tokens, given and not; the rules do not know which stage it is."""
    own = [f"{kind} {side} text" for kind in ("url", "key") for side in ("caller", "operator")]
    flags = [*own, "url caller main", "key caller main", "key operator main"]
    for given in itertools.product([False, True], repeat=len(flags)):
        chosen = frozenset(itertools.compress(flags, given))
        for tokens, required in itertools.product(("off", "right", "none", "wrong"), ("yes", "no")):
            # A token stands where the main key would.
            if tokens == "off" or "key caller main" not in chosen:
                check(hosts, chosen, tokens, required)
    # Connections are shared: each request carries its own key all the same.
    assert max(upstream.connections for upstream in hosts.upstreams) < 99


HOW = {
    "accept": ("application/json", "text/event-stream", "audio/mpeg"),
    "fault": ("none", "500 first", *(f"redirect {stage}" for stage in STAGES)),
    "model": ("", "gpt-realtime-2.1-mini"),
    "required": ("yes", "no"),
}
WITHOUT_TOKENS = [*URLS, *(flag for flag in KEY_FLAGS if flag not in OPERATORS_KEYS)]
WITH_TOKENS = [flag for flag in [*URLS, *OPERATORS_KEYS] if " operator " in flag]


@pytest.mark.parametrize(
    ("flags", "tokens", "count"),
    [(WITHOUT_TOKENS, "off", 180), (WITH_TOKENS, "right", 80)],
    ids=["keys", "tokens"],
)
def test_random_choices_of_all_that_can_be_given(hosts, at_once, flags, tokens, count):
    """All stages at once, in so many rows that every pair of two choices is among them."""
    draw, seen = random.Random(14), set()
    for _ in range(count):
        given = {flag: draw.random() < 0.5 for flag in flags}
        how = {name: draw.choice(values) for name, values in HOW.items()}
        chosen, pairs = (
            frozenset(filter(given.get, given)),
            {*itertools.combinations((given | how).items(), 2)},
        )
        goes_on = isinstance(told(chosen, tokens, key_required=how["required"] == "yes"), dict)
        if not (goes_on and pairs <= seen) and check(hosts, chosen, tokens, **how):
            seen |= pairs
    choices = [2] * len(flags) + [len(values) for values in HOW.values()]
    assert len(seen) == sum(one * other for one, other in itertools.combinations(choices, 2))
