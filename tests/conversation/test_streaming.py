"""The chain as a stream, without HTTP in front of it: what it keeps, closes and leaves out."""

import itertools
import time

import pytest
from testing import coded_speech
from testing.builders import make_client
from testing.fake_realtime import Readings
from testing.fake_streams import CHATS, Pace, Streamed, streams_chat, streams_speech

from parley.conversation.event_order import SoundPiece
from parley.conversation.spoken_reply import SpokenReply
from parley.conversation.stages import Stages
from parley.conversation.thoughts import deltas_without_thoughts
from parley.models.registry import Model

REPLY = "One is a number, and so is two. Three comes next, then four. Five is the last of them all."


@pytest.fixture
def begin(upstream, at_once):
    """Begins a conversation over the upstream, by that tts interface, which has its transcript."""

    def make(interface="speech", says=REPLY, row="whole") -> Stages:
        upstream.answers["text"] = streams_chat(row, reply=lambda body: says)
        upstream.answers["tts"] = Readings() if interface == "realtime" else streams_speech()
        interfaces = {"stt": "transcriptions", "text": "chat", "tts": interface}
        models = {stage: Model("m", name) for stage, name in interfaces.items()}
        stages = Stages(make_client(upstream.url, models, audio_format="pcm"), lambda: True)
        stages.conversation.transcript = "What is a number?"
        return stages

    return make


@pytest.fixture
def reply(begin):
    """Makes the reply of such a conversation."""
    return lambda *how, **says: SpokenReply(begin(*how, **says))


def gather(reply: SpokenReply) -> tuple[str, str]:
    """The text, and what was said."""
    text, sounds = "", b""
    for event in itertools.chain.from_iterable(reply.events()):
        match event:
            case str(delta):
                text += delta
            case SoundPiece(_, data, _):
                sounds += data
    reply.close()
    return text, coded_speech.decode(sounds, "pcm")


@pytest.mark.parametrize(
    ("row", "says", "code"),
    [
        ("length", REPLY, "text_incomplete"),
        ("error", REPLY, "upstream_unavailable"),
        ("whole", " \n\t ", "upstream_malformed"),
        ("length", " \n\t ", "text_incomplete"),
    ],
)
def test_a_failure_of_the_reply_names_the_answer_that_it_came_in(reply, upstream, row, says, code):
    """As it does in JSON, so that the upstream's support can find the call."""
    streamed = reply(row=row, says=says)
    upstream.answers["text"].request_id = "req_7"
    gather(streamed)
    failure = streamed.conversation.failure
    assert (failure.code, failure.stage) == (code, "text")
    assert (failure.upstream_status, failure.upstream_request_id) == (200, "req_7")


@pytest.mark.parametrize(
    ("row", "after", "connections"),
    [("usage", [], 1), ("one piece", [], 1), ("whole", [b": bye\n\n"], 1), ("whole", [20.0], 3)],
)
def test_a_whole_reply_leaves_its_connection_to_the_next_call(
    begin, upstream, row, after, connections
):
    """A new one would cost a handshake; but what does not come at once is not awaited."""
    client = begin().client
    upstream.answers["text"] = Streamed(lambda body: [*CHATS[row](REPLY), *after], lambda body: "")
    begun = time.monotonic()
    for _ in range(3):
        assert "".join(client.stream_reply("What is a number?")) == REPLY
    assert upstream.connections == connections
    assert time.monotonic() - begun < 15


def test_blank_deltas_take_time_that_is_linear_in_their_number():
    """A model that writes spaces one by one costs no more for each than for the first ones."""
    seconds = []
    for count in (25_000, 100_000):
        deltas = ["One.", *" " * count, "Two.", *"\n" * count]
        begun = time.process_time()
        assert "".join(deltas_without_thoughts(deltas)) == f"One.{' ' * count}Two."
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 8 * seconds[0]  # It was 16 times as long.


def test_three_segments_are_spoken_at_once(reply, upstream):
    """Over /audio/speech: fewer would fall behind the text, and more only meet limits sooner."""
    busy, most = [], []
    speaks = streams_speech(pace=Pace(first=0.3))

    def counted(connection, request):
        busy.append(request)
        most.append(len(busy))
        try:
            return speaks(connection, request)
        finally:
            busy.remove(request)

    streamed = reply(says=REPLY * 12)
    upstream.answers["tts"] = counted
    gather(streamed)
    assert max(most) == 3


def test_a_reading_takes_one_websocket(reply, upstream):
    """One segment after another, over one connection, which is closed at the end."""
    gather(reply("realtime", says=REPLY * 5))
    assert [request.stage for request in upstream.requests].count("tts") == 1
    assert upstream.answers["tts"].left.wait(5)


def test_a_wait_before_a_retry_ends_with_the_caller(reply, upstream, monkeypatch):
    monkeypatch.setattr("parley.upstream.calls.BACKOFF", (15.0, 15.0))
    streamed = reply(row="fails")
    events = streamed.events()
    assert next(events) == []
    assert [request.stage for request in upstream.requests] == ["text"]
    begun = time.monotonic()
    streamed.close()
    assert time.monotonic() - begun < 10
    assert all(greenlet.dead for greenlet in streamed._greenlets)
