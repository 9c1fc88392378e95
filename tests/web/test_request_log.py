"""A conversation's line has a limit, however long the conversation is."""

import pytest
from flask import Blueprint
from logfmter import Logfmter
from testing.builders import KEY, make_app

from parley import log
from parley.conversation.state import Conversation
from parley.upstream.calls import AttemptRecord
from parley.web.app import create_app
from parley.web.request_record import current_record


@pytest.mark.parametrize(("calls", "more"), [(20, ""), (21, "_ids=1"), (4500, "_ids=4480")])
def test_twenty_ids_of_the_upstream_are_named(logged, calls, more):
    bp = Blueprint("talking", __name__)

    @bp.get("/talk")
    def talk():
        ids = [f"req_{KEY[-6:]}", *(f"{number}".ljust(128, ".") for number in range(1, calls))]
        attempts = [AttemptRecord(False, each) for each in ids]
        current_record().conversation = Conversation({}, attempts=attempts)
        return "talked"

    app = create_app(make_app().extensions["parley"], [bp])
    logged.set_level("INFO", "parley")
    app.test_client().get("/talk", headers={"X-OpenAI-API-Key": KEY}).close()
    [line] = logged.text.splitlines()
    assert line.endswith(more)
    assert ("more_upstream_ids" in line) is bool(more)
    assert "upstream_ids=,1...." in line
    assert "19...." in line
    assert "20...." not in line
    assert len(line) < 8000


@pytest.mark.parametrize("first", range(0, 0x180, 0x80))
def test_a_text_is_quoted_where_logfmt_asks_for_it(first):
    """Most texts need no quotes, and are not looked at further."""
    signs = [chr(code) for code in range(first, first + 0x80)]
    for text in ["", *signs, *(f"a{sign}b" for sign in signs), *(f"\\{sign}" for sign in signs)]:
        assert log.Formatter.format_string(text) == Logfmter.format_string(text)
