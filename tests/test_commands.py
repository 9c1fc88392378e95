"""`flask --app wsgi models`: what an operator, and a cron job, can ask of each stage's host."""

import json
import re
import sys
import time
from datetime import date

import pytest
import requests_mock
from testing.builders import FROZEN_LIST, KEY, ROOT, make_app, ran

from parley.commands import models
from parley.errors import DeadlineExceeded

OPENAI, MAIN, VOICE = (
    f"https://{name}/v1" for name in ("api.openai.com", "main.test", "voice.test")
)
TODAY = date(2026, 11, 22)
TOKENS = {"PARLEY_CALLER_TOKENS": "token-0123456789-abc"}
LENT = "sk-lent-to-the-team"
HOSTS = (ROOT / "docs" / "hosts.md").read_text()
STAGES = make_app().extensions["parley"].registry.items()
DATED = {
    stage: {name: model.shutdown and str(model.shutdown) for name, model in listed.models.items()}
    for stage, listed in STAGES
}
"""Each stage's models, with the days that the list has for them."""

HEARD_AND_WRITTEN = DATED["stt"] | DATED["text"]
ALL = HEARD_AND_WRITTEN | DATED["tts"]
OTHER = MAIN.replace("/v1", "/other/v1")
UNREADABLE = "shuts down on a day that cannot be read"


def run(*arguments, today=TODAY, key=KEY, **variables):
    """Run the command in an application of that day, under these variables."""
    runner = make_app(today=today, **variables).test_cli_runner(env={"OPENAI_API_KEY": key})
    return runner.invoke(models, arguments)


def check(main=MAIN, voice=VOICE, **more):
    """Run the check with the voice on a host of its own, for which the list was not written."""
    return run("check", PARLEY_OPENAI_BASE_URL=main, PARLEY_TTS_BASE_URL=voice, **more)


@pytest.fixture
def network(monkeypatch):
    """Each host announces its own models, and what the list says of them."""
    monkeypatch.setattr("parley.web.stage_routes.MODEL_LIST", str(FROZEN_LIST))
    with requests_mock.Mocker() as mocker:
        announce(mocker, OPENAI, ALL)
        announce(mocker, MAIN, HEARD_AND_WRITTEN)
        announce(mocker, VOICE, dict.fromkeys(DATED["tts"]))
        yield mocker


def announce(network, url, dates):
    """Let the host list these models."""
    data = [{"id": name, "shutdown_date": day} for name, day in dates.items()]
    network.get(f"{url}/models", json={"object": "list", "data": data})


def asked(network):
    """The hosts that were asked since this was last called, each with the key that it was sent."""
    sent = [(call.url, call.headers.get("Authorization")) for call in network.request_history]
    network.reset_mock()
    return {url.removesuffix("/models"): key and key.removeprefix("Bearer ") for url, key in sent}


OLD = "whisper-1 (transcriptions, until 2027-02-26)", "gpt-4o (chat, until 2027-01-14)"
OLD += ("tts-1 (speech, until 2027-01-06)",)
NEW = "gpt-transcribe (transcriptions)", "gpt-6-luna (chat)", "gpt-realtime-2.1-mini (realtime)"


@pytest.mark.parametrize(("arguments", "told"), [([], OLD), (["--date", "2027-03-01"], NEW)])
def test_what_each_stage_uses_is_printed(arguments, told):
    """Today's models, or another day's, each with its interface, its end and its host."""
    result = run(*arguments)
    stages = zip(("stt", "text", "tts"), told, strict=True)
    lines = "".join(f"{stage}: {used} at {OPENAI}\n" for stage, used in stages)
    assert (result.exit_code, result.stdout) == (0, lines)
    refused = run("--date", "tomorrow")
    assert (refused.exit_code, "write a day like 2027-03-01." in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "day", "told"),
    [
        ("tts: tts-1", "2026-12-24", "2027-01-06, upstream: shuts down 2026-12-24"),
        ("tts: tts-1", None, "2027-01-06, upstream: shuts down never"),
        ("text: gpt-6-luna", "2027-09-01", "never, upstream: shuts down 2027-09-01"),
        ("tts: tts-1", f"soon {KEY}", f"2027-01-06, upstream: {UNREADABLE}"),
        ("text: gpt-6-luna", 1830000000, f"never, upstream: {UNREADABLE}"),
        ("stt: whisper-1", [KEY], f"2027-02-26, upstream: {UNREADABLE}"),
    ],
)
def test_a_date_that_differs_fails_the_check(network, name, day, told):
    """Exit 1 and a line with both dates. One that cannot be read is no more, and not repeated."""
    announce(network, OPENAI, ALL | {name.partition(": ")[2]: day})
    result = run("check")
    assert result.stdout.splitlines() == [f"{name}: listed {told}", "differences: 1"]
    assert (result.exit_code, asked(network)) == (1, {OPENAI: KEY})


@pytest.mark.parametrize(
    ("today", "code"), [(TODAY, 1), (date(2027, 1, 5), 1), (date(2027, 1, 6), 0)], ids=str
)
def test_a_model_that_is_gone_before_its_date_fails_the_check(network, today, code):
    """An upstream need not list what has ended, but what it no longer lists has ended."""
    announce(network, OPENAI, {name: day for name, day in ALL.items() if name != "tts-1"})
    result = run("check", today=today)
    assert result.exit_code == code
    assert ("tts: tts-1: listed 2027-01-06, upstream: unknown" in result.stdout) is bool(code)


# What a host of speech lists, with what of it is compared, and what differs from "never".
VOICES = {
    "all": (dict.fromkeys(DATED["tts"]), " ".join(DATED["tts"]), {}),
    "others": ({"tts-1": None, "gpt-4o": None, "kokoro": "2026-12-24"}, "tts-1", {}),
    "no default": ({"kokoro": None}, "tts-1", {"tts-1": "unknown"}),
    "no date": ({"tts-1": "soon"}, "tts-1", {"tts-1": UNREADABLE}),
    "an end": ({"tts-1": "2026-12-24"}, "tts-1", {"tts-1": "shuts down 2026-12-24"}),
}


@pytest.mark.parametrize("name", VOICES)
def test_each_stage_is_compared_with_its_own_host(network, name):
    """Of one that the list does not describe, the default is expected, and no end of a model."""
    announced, compared, differences = VOICES[name]
    announce(network, VOICE, announced)
    result = check()
    assert result.stdout.splitlines() == [
        f"tts: compared {compared} at {VOICE}, where the list's dates do not hold",
        *(f"tts: {name}: listed never, upstream: {told}" for name, told in differences.items()),
        f"differences: {len(differences)}",
    ]
    assert result.exit_code == bool(differences)
    assert [call.path for call in network.request_history] == ["/v1/models"] * 2


def test_a_list_of_ones_own_is_compared_with_its_dates(network, monkeypatch):
    """It was written for the hosts that the operator chose."""
    monkeypatch.setattr("parley.web.stage_routes.MODEL_LIST", "MODEL_LIST.MD")
    result = check()
    assert result.exit_code == 1
    assert "tts: tts-1: listed 2027-01-06, upstream: shuts down never" in result.stdout


def test_the_documented_lists_and_lines_are_true(network, tmp_path):
    """`models` prints what docs/hosts.md shows, whose list for another voice passes the check."""
    [shown] = re.findall(r"```text\n(.*?)```", HOSTS, re.DOTALL)
    assert run(PARLEY_TTS_BASE_URL="http://127.0.0.1:8880/v1").stdout == shown
    announce(network, VOICE, {"kokoro": None})
    [sample] = re.findall(r"```markdown\n(.*?)```", HOSTS, re.DOTALL)
    others, heading, _ = FROZEN_LIST.read_text().partition("## tts\n")
    (tmp_path / "list.md").write_text(f"{others}{heading}{sample.partition(heading)[2]}")
    result = check(PARLEY_MODEL_LIST=str(tmp_path / "list.md"))
    assert (result.exit_code, result.stdout) == (0, "differences: 0\n")


@pytest.mark.parametrize(
    ("hosts", "variables", "keys"),
    [
        ((MAIN, VOICE), {}, (KEY, None)),
        ((MAIN, VOICE), {**TOKENS, "PARLEY_TTS_API_KEY": LENT}, (KEY, LENT)),
        ((MAIN, VOICE), {**TOKENS, "PARLEY_OPENAI_API_KEY": LENT}, (LENT, None)),
        # A gateway may serve several owners below one host; OpenAI's key is for OpenAI alone.
        ((MAIN, OTHER), {}, (KEY, None)),
        ((MAIN, OPENAI), {}, (None, KEY)),
        ((MAIN, VOICE), {"key": "", "PARLEY_KEY_REQUIRED": "no"}, (None, None)),
        ((MAIN, VOICE), {"key": "", **TOKENS}, (None, None)),
    ],
)
def test_a_key_goes_to_the_host_that_it_is_for(network, hosts, variables, keys):
    """OPENAI_API_KEY is the main host's; a stage's host gets the operator's key for it or none."""
    announce(network, OTHER, {"tts-1": None})
    check(*hosts, **variables)
    assert asked(network) == dict(zip(hosts, keys, strict=True))


@pytest.mark.parametrize("key", ["sk-€uro", "two words", ""])
def test_a_key_that_is_none_is_sent_nowhere(network, key):
    """One sentence says so, without the key, and nothing is asked at all."""
    result = check(key=key)
    sentence = "to one key in visible ASCII." if key else f"to a key of {MAIN}."
    assert (result.exit_code, f"Set OPENAI_API_KEY {sentence}" in result.stderr) == (2, True)
    assert not key or key not in result.output
    assert asked(network) == {}


UNREAD = [
    {"status_code": 401, "json": {"error": {"message": f"Wrong key: {KEY}"}}},
    {"text": "not JSON"},
    {"json": {"data": [{"name": "tts-1"}]}},
    {"json": {"data": {}}, "status_code": 404},
    {"json": []},
]


@pytest.mark.parametrize("answer", UNREAD, ids=json.dumps)
@pytest.mark.parametrize("ended", [0, 1])
def test_a_host_that_cannot_be_asked_hides_no_other(network, answer, ended):
    """It is named without a key, the others are compared all the same; exit 2 is no difference."""
    network.get(f"{VOICE}/models", **answer)
    announce(network, MAIN, HEARD_AND_WRITTEN | {"gpt-4o": None} if ended else HEARD_AND_WRITTEN)
    result = check()
    assert (result.exit_code, result.stderr.count("Error: ")) == (2, 1)
    assert f"Error: {VOICE}: " in result.stderr
    assert result.stdout.splitlines() == [
        *["text: gpt-4o: listed 2027-01-14, upstream: shuts down never"][:ended],
        f"tts: not compared with {VOICE}",
        f"differences: {ended}",
    ]
    network.get(f"{MAIN}/models", **answer)
    announce(network, VOICE, {"tts-1": None})
    result = check()
    assert KEY not in result.output
    untold = "".join(f"{stage}: not compared with {MAIN}\n" for stage in ("stt", "text"))
    assert result.stdout.startswith(f"{untold}tts: compared tts-1 at")


def test_the_check_waits_no_longer_than_a_conversation_would(upstream):
    """An upstream that says nothing is left at the deadline."""
    upstream.answers[""] = lambda connection, request: time.sleep(30)
    began = time.monotonic()
    result = run("check", PARLEY_OPENAI_BASE_URL=upstream.url, PARLEY_DEADLINE="1")
    assert time.monotonic() - began < 20
    assert (result.exit_code, DeadlineExceeded.message in result.stderr) == (2, True)


def test_the_command_line_patches_python_before_anything_waits():
    """Deadlines are gevent's, which can end only what it knows to wait: look-ups, for instance."""
    program = "import flask.cli, wsgi, gevent.monkey as it; print(it.is_module_patched('socket'))"
    assert ran(sys.executable, "-W", "error", "-c", program).endswith("True\n")
