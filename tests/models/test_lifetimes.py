"""MODEL_LIST.MD says when a model ends, and what replaces it."""

import re
from datetime import date

import pytest
from testing.builders import ROOT
from testing.model_lists import assert_refused

from parley.models import model_list

LIFETIMES = """\
## stt
| model | default | shuts down | replacement | interface | parameters |
|---|---|---|---|---|---|
| a | yes | 2027-01-01 | b | | |
| b | | 2027-02-01 | c | transcriptions | {"x": 1, "y": "two"} |
| c | | | | | |
| d | | 2027-01-15 | | | |
| e | | 2027-01-15 | b | | |
| * | | | | | {"z": 3} |

## text
| model | default | parameters |
|---|---|---|
| t | yes | `{"n": 1, "words": "two words"}` |

## tts
| model | default | interface | parameters |
|---|---|---|---|
| s | yes | | |
| r | | realtime | |
"""


@pytest.mark.parametrize(
    ("name", "today", "used"),
    [
        ("", date(2026, 12, 31), "a"),
        ("", date(2027, 1, 1), "b"),
        ("", date(2027, 1, 31), "b"),
        ("", date(2027, 2, 1), "c"),
        ("c", date(2030, 1, 1), "c"),
        ("d", date(2027, 1, 14), "d"),
        ("d", date(2027, 1, 15), "b"),
        ("d", date(2027, 2, 1), "c"),
        ("e", date(2027, 2, 1), "c"),
        ("other", date(2027, 2, 1), "other"),
        ("no name", date(2027, 2, 1), "c"),
        ("a", None, "a"),
        ("no name", None, "a"),
    ],
)
def test_a_model_that_has_shut_down_is_replaced(name, today, used):
    """By its own replacements or the default's; without a day, nothing is replaced."""
    models = model_list.parse(LIFETIMES, "LIST.MD")["stt"]
    assert models.resolve(name, today).name == used


@pytest.mark.parametrize(
    ("name", "today", "fallback"),
    [
        ("", date(2026, 12, 1), "b"),
        ("", date(2027, 1, 1), "c"),
        ("", date(2027, 2, 1), None),
        ("a", date(2027, 2, 1), None),
        ("d", date(2026, 12, 1), "a"),
        ("c", date(2026, 12, 1), "a"),
        ("other", date(2026, 12, 1), None),
        ("a", None, "b"),
        ("d", None, "a"),
        ("no name", None, "b"),
        ("other", None, None),
    ],
)
def test_each_model_has_a_fallback_that_is_alive(name, today, fallback):
    """Never the model itself, nor one that has shut down; on another host its replacement."""
    model = model_list.parse(LIFETIMES, "LIST.MD")["stt"].resolve(name, today)
    assert (model.fallback and model.fallback.name) == fallback


def test_a_row_says_which_interface_and_parameters_its_model_needs():
    """An empty cell, or no column, means the stage's usual one and nothing besides."""
    stages = model_list.parse(LIFETIMES, "LIST.MD")
    assert stages["stt"].models["a"].interface == "transcriptions"
    assert stages["stt"].models["b"].parameters == {"x": "1", "y": "two"}
    assert stages["text"].models["t"].parameters == {"n": 1, "words": "two words"}
    assert stages["stt"].resolve("other", None).parameters == {"z": "3"}
    assert [model.interface for model in stages["text"].models.values()] == ["chat"]
    assert [model.interface for model in stages["tts"].models.values()] == ["speech", "realtime"]


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("| 2027-01-01 | b |", "| January | b |", 4, "January"),
        ("| 2027-01-01 | b |", "| 2027-02-30 | b |", 4, "2027-02-30"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | x |", 4, "x"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | * |", 4, "*"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | t |", 4, "t replaces a"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | |", 4, "default"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | a |", 4, "circle"),
        ("| c | | | |", "| c | | 2027-03-01 | |", 6, "default"),
        ("| c | | | |", "| c | | 2027-03-01 | b |", 5, "circle"),
        ("| c | | | |", "| c | | | e |", 5, "circle"),
        ('{"x": 1, "y": "two"}', "x", 5, "'parameters' is not a JSON object"),
        ("| r | | realtime |", "| r | | chat |", 20, "speech or realtime"),
        ('"x": 1', '"languages[]": "en"', 5, "'languages[]', which the service itself sends"),
        ('"n": 1', '"stream": true', 14, "'stream', which"),
        ('"x": 1', '"file": "x"', 5, "'file', which the service itself sends"),
        ('"n": 1', '"messages": []', 14, "'messages', which"),
        ('"n": 1', '"n": NaN', 14, "is not a JSON object"),
        ("| s | yes | | |", '| s | yes | | {"voice": "ash"} |', 19, "'voice', which"),
        ("| r | | realtime | |", '| r | | realtime | {"audio": {}} |', 20, "'audio', which"),
        ("transcriptions", "realtime", 5, "transcriptions"),
    ],
)
def test_replacements_that_lead_nowhere_stop_the_start(old, new, line, word):
    """A circle, an unknown replacement, a default without one: the message names the line."""
    assert_refused(LIFETIMES, old, new, line, word)


def test_every_date_of_the_projects_own_list_has_its_source():
    text = (ROOT / "MODEL_LIST.MD").read_text()
    rows = [
        line
        for line in text.splitlines()
        if re.match(r"\|.*\| (chat|transcriptions|speech|real)", line)
    ]
    listed = model_list.parse(text, "MODEL_LIST.MD").values()
    assert len(rows) == sum(len(stage.models) for stage in listed)
    for row in rows:
        for source in re.findall(r"\[([^]]+)\]", row) or ["none"]:
            assert f"\n[{source}]: https://" in text, row
