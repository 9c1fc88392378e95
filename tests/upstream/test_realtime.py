"""The third call over the Realtime API: its messages, its words, its encoding."""

import io
import logging
import tracemalloc
from contextlib import closing

import av
import pytest
from testing import coded_speech
from testing import fake_realtime as realtime
from testing.fake_openai import REPLY
from testing.fake_openai import running as fake_running
from testing.fake_realtime import PCM, plays
from testing.upstream_faults import LATE

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.errors import DeadlineExceeded
from parley.memory import Usage
from parley.models.registry import Model
from parley.redaction import Secrets
from parley.upstream.calls import Call
from parley.upstream.realtime import VoiceReader, is_read_word_for_word
from parley.upstream.speech_formats import PIECE_BYTES, in_format
from parley.wire.transport import Transport
from parley.wire.upstreams import Upstream

TTS = {"tts_model": "gpt-realtime-2.1-mini"}


def call_to(server) -> Call:
    """A call of a voice of that upstream."""
    upstream = Upstream(BaseUrl.parse(server.url), "key", Secrets("key"))
    models, deadline = {"tts": Model("m", "realtime")}, Deadline.after(60)
    return Call(Transport(1), upstream, "tts", models, deadline, Usage(), [])


def test_messages_in_pieces_are_put_together(upstream, converse):
    """A message may come in fragments, with pings between them (RFC 6455, section 5.4)."""

    def in_pieces(session):
        session.protocol.send_text(b'{"type": "session.upd', fin=False)
        session.protocol.send_ping(b"x")
        session.protocol.send_continuation(b'ated"}', fin=True)
        session.flush()
        session.audio()
        session.said(REPLY)
        session.done()

    upstream.answers["tts"] = plays(in_pieces)
    converse(None, "tts", LATE, **TTS)


@pytest.mark.parametrize(
    ("said", "reworded"), [(REPLY, False), ("It's paris", False), ("No.", True)]
)
def test_a_rewording_is_logged_without_its_words(upstream, converse, logged, said, reworded):
    """The operator learns that a voice strayed from its text, but not what either said."""
    logged.set_level(logging.DEBUG)

    def script(session):
        session.audio()
        session.said(said)
        session.done()

    upstream.answers["tts"] = plays(script)
    converse(None, "tts", LATE, **TTS)
    line = "event=speech_reworded stage=tts model=gpt-realtime-2.1-mini"
    assert (line in logged.text) is reworded
    assert said not in logged.text
    assert REPLY not in logged.text


LONG = "Paris lies on the Seine. " * 30
QUESTION = "Shall I tell you more about its bridges?"
OTHER = "I am an assistant and cannot read that aloud."


@pytest.mark.parametrize(
    ("text", "transcript", "same"),
    [
        ("It is Paris.", "it\u2019s PARIS", True),
        ("It's not far; they aren't late.", "It isn't far. They're not late!", True),
        ("Let's go home, he's been there.", "Let us go home he has been there", True),
        (f"It isn't. {LONG}", f"It is not. {LONG}", True),
        (f"{LONG} {QUESTION}", f"{LONG} {OTHER}", False),
        (f"{QUESTION} {LONG}", f"{OTHER} {LONG}", False),
        (f"{LONG} {LONG}", LONG, False),
        ("Twenty-one.", "Twenty one", True),
        ("東京です。", "東京です", True),
        ("It is Paris.", "It is Rome.", False),
        ("It is Paris.", "It is not Paris.", False),
        ("It is Paris. Goodbye.", "It is Paris.", False),
        ("It is Paris.", "", False),
    ],
)
def test_only_case_punctuation_and_a_few_letters_may_differ(text, transcript, same):
    """Other words are told from the same words in another spelling."""
    assert is_read_word_for_word(text, transcript) is same


def test_encoding_keeps_the_deadline():
    """A speech that is too long to encode in time is given up."""
    with pytest.raises(DeadlineExceeded):
        list(in_format([bytes(48_000_000)], "mp3", Deadline.after(0.05)))


def test_encoding_lets_others_run(monkeypatch):
    """Before each piece, since twenty conversations may be encoded at once."""
    turns = []
    monkeypatch.setattr("parley.upstream.speech_formats.let_others_run", lambda: turns.append(1))
    list(in_format([bytes(10 * PIECE_BYTES)], "mp3", Deadline.after(60)))
    assert len(turns) == 10


def test_long_speech_is_encoded_as_it_arrives():
    """Twenty long answers at once must not fill a small container with their PCM."""

    def script(session):
        for _ in range(100):
            session.audio(PCM)
        session.done()

    with fake_running() as server:
        server.answers["tts"] = plays(script)
        call = call_to(server)
        tracemalloc.start()
        try:
            with closing(VoiceReader()) as reader:
                speech = reader.read_aloud(REPLY, "alloy", call)
                mp3 = b"".join(in_format(speech, "mp3", call.deadline))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    with av.open(io.BytesIO(mp3)) as container:
        assert round(container.duration / av.time_base) == 100
    assert peak < len(PCM) * 100 * 0.8


def test_a_reading_that_is_given_up_takes_its_websocket_along():
    """Nobody knows what would still arrive for its text."""
    with fake_running() as server:
        server.answers["tts"] = realtime.Readings()
        with closing(VoiceReader()) as reader:
            given_up = reader.read_aloud("It is Paris.", "alloy", call_to(server))
            next(given_up)
            given_up.close()
            pcm = b"".join(reader.read_aloud("It is Rome.", "alloy", call_to(server)))
        assert pcm == coded_speech.encode("It is Rome.", "pcm")
        assert len(server.requests) == 2


def test_pcm_may_be_cut_anywhere():
    """A sample in two pieces is still one."""

    def mp3(size):
        pieces = [PCM[at : at + size] for at in range(0, len(PCM), size)]
        return b"".join(in_format(pieces, "mp3", Deadline.after(10)))

    with av.open(io.BytesIO(mp3(10_001))) as container:
        assert round(container.duration / av.time_base) == 1
    assert mp3(9_999) == mp3(10_000)
