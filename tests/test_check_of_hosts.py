"""`flask --app wsgi models check` asks the host of each stage, with the key that is its own."""

import json
import re
from contextlib import ExitStack
from datetime import date
from types import SimpleNamespace

import pytest
from testing import fake_openai as fake
from testing.builders import FROZEN_LIST, KEY, ROOT, make_app

from parley.commands import models

TODAY = date(2026, 11, 22)
TOKEN = "token-0123456789-abc"
LENT = "sk-lent-to-the-team"
HOSTS = (ROOT / "docs" / "hosts.md").read_text()


@pytest.fixture
def hosts(monkeypatch):
    """The main host and a voice's, each of which announces its own models."""
    monkeypatch.setattr("parley.settings.MODEL_LIST", str(FROZEN_LIST))
    stages = make_app().extensions["parley"].registry
    dates = {
        stage: {name: model.shutdown for name, model in listed.models.items()}
        for stage, listed in stages.items()
    }
    with ExitStack() as opened:
        main, voice = (opened.enter_context(fake.running()) for _ in range(2))
        announce(main, dates["stt"] | dates["text"])
        announce(voice, dict.fromkeys(dates["tts"]))
        yield main, voice


def announce(upstream: fake.Upstream, dates: dict[str, date | None]) -> None:
    """Let the upstream list these models."""
    data = [{"id": name, "shutdown_date": day and str(day)} for name, day in dates.items()]
    answer = fake.http(json.dumps({"data": data}).encode(), Content_Type="application/json")
    upstream.answers[""] = lambda connection, request: connection.sendall(answer) or True


def check(hosts, key: str = KEY, **variables: str):
    """Run the command with the voice on a host of its own."""
    main, voice = hosts
    urls = {"PARLEY_OPENAI_BASE_URL": main.url, "PARLEY_TTS_BASE_URL": voice.url}
    app = make_app(today=TODAY, **urls, **variables)
    return app.test_cli_runner(env={"OPENAI_API_KEY": key}).invoke(models, ["check"])


def keys(upstream: fake.Upstream) -> list[str | None]:
    return [request.headers.get("authorization") for request in upstream.requests]


def test_each_stage_is_compared_with_its_own_host(hosts):
    """Each host is asked once; a date that does not hold on the voice's host is no difference.

    Of a host that the list does not describe, only the default is expected.
    """
    main, voice = hosts
    result = check(hosts)
    compared = f"tts: compared {{}} at {voice.url}, where the list's dates do not hold\n{{}}"
    everything = "tts-1 tts-1-hd gpt-4o-mini-tts gpt-realtime-2.1-mini gpt-realtime-2.1"
    assert result.exit_code == 0
    assert result.stdout == compared.format(everything, "differences: 0\n")
    assert [request.path for request in (*main.requests, *voice.requests)] == ["/v1/models"] * 2
    announce(voice, {"tts-1": None, "gpt-4o": None, "kokoro": "2026-12-24"})
    result = check(hosts)
    assert (result.exit_code, result.stdout) == (0, compared.format("tts-1", "differences: 0\n"))


@pytest.mark.parametrize(
    ("announced", "differences"),
    [
        ({"kokoro": None}, ["tts: tts-1: listed never, upstream: unknown"]),
        (
            {"tts-1": None, "tts-1-hd": date(2026, 12, 24)},
            ["tts: tts-1-hd: listed never, upstream: shuts down 2026-12-24"],
        ),
        (
            {"tts-1": "soon", "tts-1-hd": date(2026, 12, 24)},
            [
                "tts: tts-1: listed never, upstream: shuts down on a day that cannot be read",
                "tts: tts-1-hd: listed never, upstream: shuts down 2026-12-24",
            ],
        ),
    ],
    ids=["no default", "an end", "no date"],
)
def test_a_host_that_the_list_does_not_describe_is_compared_with_what_is_used(
    hosts, announced, differences
):
    """It must have the default, which is sent to it, and what it has must not end."""
    announce(hosts[1], announced)
    result = check(hosts)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [*differences, f"differences: {len(differences)}"]


KOKORO = dict.fromkeys(["tts-1", "tts-1-hd", "kokoro", "gpt-4o-mini-tts"])
"""What Kokoro-FastAPI lists, by its source: OpenAI's names beside its own, and no dates."""


def test_the_documented_voice_beside_openai_passes(hosts):
    """Kokoro-FastAPI needs no list, and `models` prints what docs/hosts.md shows."""
    announce(hosts[1], KOKORO)
    result = check(hosts)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "differences: 0")
    [shown] = re.findall(r"```text\n(.*?)```", HOSTS, re.DOTALL)
    app = make_app(today=TODAY, PARLEY_TTS_BASE_URL="http://127.0.0.1:8880/v1")
    assert app.test_cli_runner().invoke(models, []).stdout == shown


def test_the_documented_list_for_another_voice_passes(hosts, tmp_path):
    """OpenAI's list with the sample's table for speech, for a host that does not list tts-1."""
    announce(hosts[1], {"kokoro": None})
    assert check(hosts).exit_code == 1
    [sample] = re.findall(r"```markdown\n(.*?)```", HOSTS, re.DOTALL)
    heading = "## tts\n"
    own = tmp_path / "list.md"
    others, speech = FROZEN_LIST.read_text().partition(heading)[0], sample.partition(heading)[2]
    own.write_text(f"{others}{heading}{speech}")
    result = check(hosts, PARLEY_MODEL_LIST=str(own))
    assert (result.exit_code, result.stdout) == (0, "differences: 0\n")


def test_a_list_of_ones_own_is_compared_with_its_dates(hosts, monkeypatch):
    """It was written for the hosts that the operator chose."""
    monkeypatch.setattr("parley.settings.MODEL_LIST", "MODEL_LIST.MD")
    result = check(hosts)
    assert result.exit_code == 1
    assert "tts: tts-1: listed 2027-01-06, upstream: shuts down never" in result.stdout


def test_a_key_goes_to_the_host_that_it_is_for(hosts):
    """OPENAI_API_KEY is the main host's; a stage's host gets the operator's key for it or none."""
    main, voice = hosts
    check(hosts)
    assert (keys(main), keys(voice)) == ([f"Bearer {KEY}"], [None])
    check(hosts, PARLEY_CALLER_TOKENS=TOKEN, PARLEY_TTS_API_KEY=LENT)
    assert (keys(main)[1:], keys(voice)[1:]) == ([f"Bearer {KEY}"], [f"Bearer {LENT}"])
    check(hosts, PARLEY_CALLER_TOKENS=TOKEN, PARLEY_OPENAI_API_KEY=LENT)
    assert (keys(main)[2:], keys(voice)[2:]) == ([f"Bearer {LENT}"], [None])


def test_a_stages_url_on_the_main_host_is_not_the_main_upstream(hosts):
    """A gateway may serve several owners below one host: each URL is asked with its own key."""
    main, _ = hosts
    check((main, SimpleNamespace(url=main.url.replace("/v1", "/other/v1"))))
    asked = {request.path: request.headers.get("authorization") for request in main.requests}
    assert asked == {"/v1/models": f"Bearer {KEY}", "/other/v1/models": None}


def test_openais_key_goes_to_openai_alone_where_it_serves_a_stage(hosts, openai):
    """It would be shown to the host of the other stages otherwise."""
    main, _ = hosts
    openai.get("https://api.openai.com/v1/models", json={"data": []})
    openai.get(f"{main.url}/models", json={"data": []})
    assert check((main, SimpleNamespace(url="https://api.openai.com/v1"))).exit_code == 1
    sent = {call.url: call.headers.get("Authorization") for call in openai.request_history}
    assert sent == {f"{main.url}/models": None, "https://api.openai.com/v1/models": f"Bearer {KEY}"}


@pytest.mark.parametrize("key", ["sk-€uro", "schlüssel", "two words"])
def test_a_key_that_no_header_may_carry_is_sent_nowhere(hosts, key):
    """One sentence says so, without the key."""
    result = check(hosts, key=key)
    assert result.exit_code == 2
    assert "Set OPENAI_API_KEY to one key in visible ASCII." in result.stderr
    assert key not in result.output
    assert [*keys(hosts[0]), *keys(hosts[1])] == []


def test_without_a_key_the_main_host_is_asked_where_it_needs_none(hosts):
    """Otherwise nothing is asked at all."""
    main, voice = hosts
    refused = check(hosts, key="")
    assert refused.exit_code == 2
    assert "OPENAI_API_KEY" in refused.stderr
    assert main.requests == voice.requests == []
    assert check(hosts, key="", PARLEY_KEY_REQUIRED="no").exit_code == 0
    assert check(hosts, key="", PARLEY_CALLER_TOKENS=TOKEN).exit_code == 0
    assert (keys(main), keys(voice)) == ([None] * 2, [None] * 2)


@pytest.mark.parametrize("status", ["404 No", "401 No", "501 No"])
@pytest.mark.parametrize("ended", [0, 1])
def test_a_host_that_cannot_be_asked_hides_no_other(hosts, status, ended):
    """It is named, the other stages are compared all the same, and the exit status is 2."""
    main, voice = hosts
    voice.answers[""] = lambda connection, request: connection.sendall(fake.http(b"", status))
    stages = make_app().extensions["parley"].registry
    dates = {
        name: model.shutdown
        for stage in ("stt", "text")
        for name, model in stages[stage].models.items()
    }
    announce(main, {**dates, **({"gpt-4o": None} if ended else {})})
    result = check(hosts)
    assert result.exit_code == 2
    assert f"Error: {voice.url}: " in result.stderr
    assert result.stdout.splitlines() == [
        *["text: gpt-4o: listed 2027-01-14, upstream: shuts down never"][:ended],
        f"tts: not compared with {voice.url}",
        f"differences: {ended}",
    ]


def test_the_main_host_that_cannot_be_asked_hides_no_other(hosts):
    """Two stages are told of as not compared, and the voice is compared."""
    main, voice = hosts
    main.answers[""] = lambda connection, request: connection.sendall(fake.http(b"[]"))
    announce(voice, {"kokoro": None})
    result = check(hosts)
    assert (result.exit_code, result.stderr.count("Error: ")) == (2, 1)
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"{stage}: not compared with {main.url}" for stage in ("stt", "text")]
    assert "tts: tts-1: listed never, upstream: unknown" in lines
