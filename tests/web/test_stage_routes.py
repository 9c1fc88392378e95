"""A host and a key for each stage: all combinations, against what three upstreams were sent."""

import itertools
import random
from functools import cache

import pytest
from testing import conversation_forms as forms
from testing import recording_hosts
from testing.builders import make_app
from testing.recording_hosts import STAGES, Hosts, secret, shows
from testing.stage_rules import KEY_FLAGS, KEYS, OPERATORS_KEYS, PORT, TOKEN, URLS, told

from parley.errors import ConfigurationError

HEADER = {"stt": "STT", "text": "Text", "tts": "TTS"}


@pytest.fixture(scope="module")
def hosts():
    with recording_hosts.running() as running:
        yield running


@cache
def app_of(hosts_id: tuple[str, ...], flags: frozenset[str], tokens: str, required: str):
    """The application with the operator's part of the flags; None if it does not start."""
    urls = dict(zip(PORT, hosts_id, strict=True))
    variables = {"PARLEY_OPENAI_BASE_URL": urls["operator main"], "PARLEY_ALLOWED_BASE_URLS": "*"}
    variables["PARLEY_KEY_REQUIRED"] = required
    if not tokens.startswith("off"):
        variables["PARLEY_CALLER_TOKENS"] = f"another-token-0123456789 {TOKEN}"
    for flag in flags:
        kind, _, name = flag.partition(" operator ")
        if name:
            middle = "OPENAI" if name == "main" else name.upper()
            variable = f"PARLEY_{middle}_{'BASE_URL' if kind == 'url' else 'API_KEY'}"
            variables[variable] = (urls if kind == "url" else KEYS)[f"operator {name}"]
    try:
        return make_app(**variables)
    except ConfigurationError:
        return None


def converse(
    hosts: Hosts, flags, tokens="off", required="yes", accept="*/*", fault="none", model=""
):
    """One conversation with what is given; the answer, or None where the service does not start."""
    urls = {name: hosts.url(port, name.replace(" ", "-")) for name, port in PORT.items()}
    operators = frozenset(flag for flag in flags if " operator " in flag)
    app = app_of(tuple(urls.values()), operators, tokens, required)
    if app is None:
        return None
    headers = {"Accept": accept}
    for flag in flags:
        kind, _, name = flag.partition(" caller ")
        if name:
            middle = HEADER.get(name, "OpenAI")
            header = f"X-{middle}-{'Base-URL' if kind == 'url' else 'API-Key'}"
            headers[header] = (urls if kind == "url" else KEYS)[f"caller {name}"]
    if not tokens.startswith("off"):
        headers.pop("X-OpenAI-API-Key", None)
        sent = {"right": TOKEN, "wrong": "no-token-of-this-team", "none": ""}[tokens]
        headers["Authorization"] = f"Bearer {sent}"
    hosts.begin(fault)
    return forms.converse(app.test_client(), headers, tts_model=model)


def check(hosts: Hosts, flags, tokens="off", required="yes", fault="none", **how):
    """Hold one conversation, and compare what was sent with what the contract says."""
    flags = frozenset(flags)
    answer = converse(hosts, flags, tokens, required, fault=fault, **how)
    says = told(flags, tokens, key_required=required == "yes")
    if says == "no start":
        assert answer is None
        return
    arrived = hosts.recorded()
    if isinstance(says, tuple):
        assert (answer.status_code, answer.json["errors"][0]["code"]) == says
        assert answer.json["errors"][0]["stage"] == "request"
        assert arrived == {}
        assert ("WWW-Authenticate" in answer.headers) is (says[0] == 401)
        return
    assert answer.status_code == status_of(fault, how.get("accept"))
    asked = (
        STAGES[: STAGES.index(last) + 1] if (last := fault.partition("redirect ")[2]) else STAGES
    )
    assert set(arrived) == set(asked)
    for stage in asked:
        host, key = says[stage]
        url = hosts.url(PORT[host], host.replace(" ", "-"))
        calls = arrived[stage]
        assert {base for base, _ in calls} == {url}
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


def status_of(fault: str, accept: str | None) -> int:
    if fault == "redirect stt":
        return 400
    return 206 if fault.startswith("redirect") and accept != "text/event-stream" else 200


def subsets(flags):
    return itertools.product(*([(), (flag,)] for flag in flags))


def test_every_combination_for_one_stage(hosts, at_once):
    """URLs, keys, hosts, tokens, given and not; the rules do not know which stage it is."""
    own = [f"{kind} {side} text" for kind in ("url", "key") for side in ("caller", "operator")]
    shared = ["url caller main", "key caller main", "key operator main"]
    tried = 0
    for chosen_flags in subsets([*own, *shared]):
        flags = frozenset(itertools.chain(*chosen_flags))
        for tokens, required in itertools.product(("off", "right", "none", "wrong"), ("yes", "no")):
            if tokens != "off" and "key caller main" in flags:
                continue  # The token stands where the main key would.
            check(hosts, flags, tokens, required)
            tried += 1
    assert tried == 2**7 * 2 + 2**6 * 6


ACCEPTS = ("application/json", "text/event-stream", "audio/mpeg")
FAULTS = ("none", "500 first", *(f"redirect {stage}" for stage in STAGES))
MODELS = ("", "gpt-realtime-2.1-mini")
WITHOUT_TOKENS = [*URLS, *(flag for flag in KEY_FLAGS if flag not in OPERATORS_KEYS)]
WITH_TOKENS = [flag for flag in [*URLS, *OPERATORS_KEYS] if " operator " in flag]


def rows(flags, how, count, seed):
    """Random choices among all that can be given, the same in each run."""
    draw = random.Random(seed)
    for _ in range(count):
        given = {flag: draw.random() < 0.5 for flag in flags}
        yield given | {name: draw.choice(values) for name, values in how.items()}


def pairs(flags, how):
    """Each pair of choices that could be made."""
    values = {**dict.fromkeys(flags, (False, True)), **how}
    for (one, ones), (other, others) in itertools.combinations(values.items(), 2):
        for pair in itertools.product(ones, others):
            yield (one, pair[0]), (other, pair[1])


def is_answered(row, tokens):
    """Whether the contract has a request with this go on to its hosts."""
    flags = frozenset(name for name, given in row.items() if given is True)
    return isinstance(told(flags, tokens, key_required=row["required"] == "yes"), dict)


@pytest.mark.parametrize(
    ("flags", "tokens", "count"),
    [(WITHOUT_TOKENS, "off", 180), (WITH_TOKENS, "right", 80)],
    ids=["keys", "tokens"],
)
def test_every_pair_of_what_can_be_given(hosts, at_once, flags, tokens, count):
    """All stages at once, with retries, redirects, streams, sound alone and the Realtime API."""
    how = {"accept": ACCEPTS, "fault": FAULTS, "model": MODELS, "required": ("yes", "no")}
    drawn = list(rows(flags, how, count, seed=14))
    answered = [set(row.items()) for row in drawn if is_answered(row, tokens)]
    missed = [pair for pair in pairs(flags, how) if not any(set(pair) <= row for row in answered)]
    assert not missed
    for row in drawn:
        chosen_how = {name: row.pop(name) for name in how}
        check(hosts, {flag for flag, given in row.items() if given}, tokens, **chosen_how)


def test_one_connection_serves_many_keys(hosts):
    """A pooled connection is an address's, not a key's: each request on it carries its own key."""
    keys = [secret() for _ in range(6)]
    app = make_app(PARLEY_OPENAI_BASE_URL=hosts.url(0, "main"), PARLEY_ALLOWED_BASE_URLS="*")
    client = app.test_client()
    hosts.begin("none")
    sent = iter(keys)
    for _ in range(2):
        headers = {f"X-{HEADER[stage]}-API-Key": next(sent) for stage in STAGES}
        headers["X-TTS-Base-URL"] = hosts.url(0, "elsewhere")
        assert forms.converse(client, headers).status_code == 200
    arrived = hosts.upstreams[0].requests
    assert len({request.connection for request in arrived}) == 1
    for request, key in zip(arrived, keys, strict=True):
        assert request.headers["authorization"] == f"Bearer {key}"
        assert not any(shows(request.sent, other) for other in keys if other != key)
