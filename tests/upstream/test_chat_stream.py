"""A chat stream in a few large pieces, as a flooding upstream sends it."""

import pytest
from testing.fake_streams import CHATS

from parley.upstream.chat_stream import deltas_of

REPLY = "Grüße aus 東京! " * 500


@pytest.fixture
def turns(monkeypatch):
    """A turn for each time that others may run."""
    given = []
    monkeypatch.setattr("parley.upstream.sent_events.let_others_run", lambda: given.append(1))
    return given


def test_what_arrives_event_by_event_costs_no_turns(turns):
    """Each read gives one already."""
    events = [b"\xef", b"\xbb\xbf", *CHATS["whole"](REPLY)[1:]]  # A byte order mark, cut in two.
    assert "".join(deltas_of(events, pytest.fail)) == REPLY
    assert turns == []


def test_no_byte_is_lost_between_two_parts(turns):
    """Wherever a large piece is parted, in an event's name or within a character."""
    stream = b"".join(CHATS["whole"](REPLY))
    assert len(stream) > 100_000
    for start in range(40):
        assert "".join(deltas_of([b":" * start + b"\n" + stream], pytest.fail)) == REPLY
    assert turns
