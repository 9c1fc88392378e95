"""Answers of real servers, kept as they came, and what becomes of each."""

import re

import pytest
from testing.builders import ROOT
from testing.met_failures import MODELS, knows_no_model
from testing.representations import REPRESENTATIONS, SOUND, STAGES, post, told
from testing.upstream_faults import says

KEPT = ROOT / "tests" / "testing" / "answers"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (KEPT / "README.md").read_text().partition("|---|")[2].splitlines()[1:]
]
FORMATS = {"piper-rate.http": "pcm"}


def test_each_has_its_row():
    """With its stage, its origin's version and its day; and none holds a key or an address."""
    assert [row[0] for row in ROWS] == sorted(path.name for path in KEPT.glob("*.http"))
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
    kept = says((KEPT / name).read_bytes(), then_close=True)
    if becomes == "replaced":
        knows_no_model(met, stage, kept)
    else:
        met.answers[stage] = kept
    answered = told(post(met, accept, audio_format=FORMATS.get(name, "mp3")))
    code = None if becomes in ("success", "replaced") else becomes
    assert answered.code == code
    assert (answered.models[stage] != MODELS[stage]) is (becomes == "replaced")
    if accept != SOUND or not answered.sound:
        assert words in " ".join((answered.message, answered.transcript, answered.reply))
