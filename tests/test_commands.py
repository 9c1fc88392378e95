"""`flask --app wsgi models`: what an operator, and a cron job, can ask."""

import json
import sys
import time
from datetime import date

import pytest
import requests_mock
from click.testing import Result
from testing import fake_openai as fake
from testing.builders import KEY, make_app, ran

from parley.commands import models
from parley.errors import DeadlineExceeded

BASE = "https://api.openai.com/v1"
MODELS = f"{BASE}/models"
TODAY = date(2026, 11, 22)
UNREADABLE = "shuts down on a day that cannot be read"


def run(*arguments: str, today: date = TODAY, key: str = KEY) -> Result:
    """Run the command in an application of that day, and keep its exit code."""
    runner = make_app(today=today).test_cli_runner(env={"OPENAI_API_KEY": key})
    return runner.invoke(models, arguments)


@pytest.fixture
def announced() -> dict[str, str | None]:
    """The upstream's own dates, which are those of the list."""
    stages = make_app().extensions["parley"].registry.values()
    return {
        name: model.shutdown.isoformat() if model.shutdown else None
        for stage in stages
        for name, model in stage.models.items()
    }


def check(announced: dict[str, str | None], today: date = TODAY) -> Result:
    """Run the check against an upstream that announces these dates."""
    data = [{"id": name, "shutdown_date": day} for name, day in announced.items()]
    with requests_mock.Mocker() as mocker:
        mocker.get(MODELS, json={"object": "list", "data": data})
        result = run("check", today=today)
    assert mocker.last_request.headers["Authorization"] == f"Bearer {KEY}"
    return result


OLD = "whisper-1 (transcriptions, until 2027-02-26)", "gpt-4o (chat, until 2027-01-14)"
NEW = "gpt-transcribe (transcriptions)", "gpt-6-luna (chat)", "gpt-realtime-2.1-mini (realtime)"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], (*OLD, "tts-1 (speech, until 2027-01-06)")), (["--date", "2027-03-01"], NEW)],
)
def test_what_each_stage_uses_is_printed(arguments, told):
    """Today's models, or another day's, each with its interface, its end and its host."""
    result = run(*arguments)
    stages = zip(("stt", "text", "tts"), told, strict=True)
    assert result.stdout == "".join(f"{stage}: {used} at {BASE}\n" for stage, used in stages)
    assert result.exit_code == 0


def test_a_date_that_is_none_is_refused():
    """One sentence that says how a date is written."""
    result = run("--date", "tomorrow")
    assert result.exit_code == 2
    assert "2027-03-01" in result.stderr


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
def test_a_date_that_differs_fails_the_check(announced, name, day, told):
    """Exit 1 and a line with both dates, for a cron job or a CI step to show.

    A date that cannot be read is one model's difference; it is not repeated, and the others go on.
    """
    result = check(announced | {name.partition(": ")[2]: day})
    assert result.stdout.splitlines() == [f"{name}: listed {told}", "differences: 1"]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("today", "code"), [(TODAY, 1), (date(2027, 1, 5), 1), (date(2027, 1, 6), 0)], ids=str
)
def test_a_model_that_is_gone_before_its_date_fails_the_check(announced, today, code):
    """An upstream need not list what has ended, but what it no longer lists has ended."""
    del announced["tts-1"]
    result = check(announced, today)
    assert result.exit_code == code
    assert ("tts: tts-1: listed 2027-01-06, upstream: unknown" in result.stdout) is bool(code)


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 401, "json": {"error": {"message": f"Wrong key: {KEY}"}}},
        {"text": "not JSON"},
        {"json": {"data": [{"name": "tts-1"}]}},
        {"json": {"data": {}}, "status_code": 404},
    ],
    ids=json.dumps,
)
def test_an_upstream_that_cannot_be_asked_is_told_from_a_difference(answer):
    """Exit 2, one sentence, and no key in it."""
    with requests_mock.Mocker() as mocker:
        mocker.get(MODELS, **answer)
        result = run("check")
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert KEY not in result.output


def test_the_check_waits_no_longer_than_a_conversation_would():
    """An upstream that says nothing is left at the deadline."""
    with fake.running() as upstream:
        upstream.answers[""] = lambda connection, request: time.sleep(30)
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_DEADLINE": "1"}
        runner = make_app(**variables).test_cli_runner(env={"OPENAI_API_KEY": KEY})
        began = time.monotonic()
        result = runner.invoke(models, ["check"])
    assert time.monotonic() - began < 20
    assert result.exit_code == 2
    assert DeadlineExceeded.message in result.stderr


def test_the_command_line_patches_python_before_anything_waits():
    """Deadlines are gevent's, which can end only what it knows to wait: look-ups, for instance."""
    program = "import flask.cli, wsgi, gevent.monkey as it; print(it.is_module_patched('socket'))"
    assert ran(sys.executable, "-W", "error", "-c", program).endswith("True\n")
