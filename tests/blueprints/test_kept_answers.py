"""Answers of real servers, kept as they came, and what becomes of each."""

import re
from functools import partial

import pytest
from testing.builders import ROOT
from testing.fake_realtime import Session
from testing.representations import REPRESENTATIONS, SOUND, STAGES, post, told
from testing.unknown_models import MODELS, knows_no_model
from testing.upstream_faults import closes

KEPT = ROOT / "tests" / "testing" / "answers"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (KEPT / "README.md").read_text().partition("|---|")[2].splitlines()[1:]
]
# What is asked for, if it is not the default.
FIELDS = {
    "piper-rate.http": {"audio_format": "pcm"},
    "litellm-unknown-realtime.events": {"tts_model": "gpt-realtime-2.1"},
}


def send_events(kept, connection, request):
    """A session that sends these, one a line, whatever it is asked."""
    session = Session(connection, request)
    for line in kept.decode().splitlines():
        session.send_text(line)


def test_each_has_its_row():
    """With its stage, its origin's version and its day; and none holds a key or an address."""
    assert [row[0] for row in ROWS] == sorted(path.name for path in KEPT.glob("*[!d]"))
    for name, stage, server, day, *_ in ROWS:
        assert stage in STAGES
        assert re.search(r" \d+\.\d+", server)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
        text = (KEPT / name).read_text(errors="replace")
        assert not re.search(r"127\.0\.0\.1|localhost|\bsk-\w|Bearer", text)


@REPRESENTATIONS
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_came_is_understood(met, accept, row):
    """In whichever representation, with what it says and what had been written."""
    name, stage, _, _, becomes, words = row
    kept, fields = (KEPT / name).read_bytes(), FIELDS.get(name, {})
    asked = fields.get(f"{stage}_model", MODELS[stage])
    is_session = name.endswith(".events")
    sends = partial(send_events, kept) if is_session else closes(kept)
    if becomes == "replaced":
        knows_no_model(met, stage, sends, asked)
    else:
        met.answers[stage] = sends
    answered = told(post(met, accept, **fields))
    code = None if becomes in ("success", "replaced") else becomes
    assert answered.code == code
    assert (answered.models[stage] != asked) is (becomes == "replaced")
    if accept != SOUND or not answered.sound:
        assert words in " ".join((answered.message, answered.transcript, answered.reply))
