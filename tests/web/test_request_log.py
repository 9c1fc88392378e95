"""A conversation's line has a limit, however long the conversation is."""

import pytest
from flask import Blueprint
from testing.builders import KEY, make_app

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
