"""The operator is warned, once a day, of the models in use that end soon."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from testing.builders import make_app

ENDS_LINE = r"event=model_ends stage=\w+ model=(\S+) date=2027-\d\d-\d\d then=\S+"


@pytest.mark.parametrize(
    ("today", "warned"),
    [
        (date(2026, 11, 6), []),
        (date(2026, 11, 7), ["tts-1"]),
        (date(2026, 11, 22), ["gpt-4o", "tts-1"]),
        (date(2027, 1, 6), ["whisper-1", "gpt-4o"]),
        (date(2027, 3, 1), []),
    ],
    ids=str,
)
def test_the_start_warns_of_models_that_end_within_sixty_days(logged, today, warned):
    """One line for each model in use, with its day and what follows."""
    make_app(today=today)
    assert re.findall(ENDS_LINE, logged.text) == warned


def test_a_process_that_runs_on_warns_once_a_day(logged):
    """Whatever is asked of it first on a day (UTC), a health check included, says it again."""
    days = iter([date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 7), date(2026, 11, 8)])
    app = make_app(today=lambda: next(days))
    client = app.test_client()
    for warned in (["tts-1"], [], ["tts-1"]):
        logged.clear()
        client.get("/healthz")
        assert re.findall(ENDS_LINE, logged.text) == warned


def test_a_days_first_requests_warn_once_between_them(logged):
    days = iter([date(2026, 11, 6)] + 64 * [date(2026, 11, 7)])
    app = make_app(today=lambda: next(days))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: app.test_client().get("/healthz"), range(64)))
    assert re.findall(ENDS_LINE, logged.text) == ["tts-1"]
    line = "stage=tts model=tts-1 date=2027-01-06 then=gpt-realtime-2.1-mini"
    assert line in logged.text
