"""The chain as a stream: the reply is spoken while it is still being written."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager

from parley.conversation.spoken_reply import Speak, SpokenReply
from parley.conversation.stages import Stages
from parley.conversation.thoughts import ThoughtFilter
from parley.errors import UpstreamError, UpstreamMalformed
from parley.upstream.realtime import Reader

LANES = {"speech": 3, "realtime": 1}
"""How many segments are spoken at once, by the interface of the model that speaks."""


def begin_reply(stages: Stages) -> SpokenReply:
    """The reply to the transcript, made while it is told; the deadline now bounds each wait."""
    stages.bound_each_wait()
    return SpokenReply(
        lambda: read_reply(stages),
        lambda: _speaker(stages),
        lambda: LANES[stages.conversation.models_used["tts"].interface],
        stages.conversation,
        stages.client.usage,
    )


def read_reply(stages: Stages) -> Generator[str]:
    """The reply's deltas; thoughts, and the space around the reply, are left out."""
    transcript, client = stages.conversation.transcript, stages.client
    with (
        stages.stage("text"),
        closing(
            stages.with_fallback("text", lambda model: client.stream_reply(transcript, model))
        ) as deltas,
    ):
        is_blank = True
        for text in _stripped(_without_thoughts(deltas)):
            is_blank = False
            yield text
        if is_blank:
            raise UpstreamMalformed()


@contextmanager
def _speaker(stages: Stages) -> Iterator[Speak]:
    """What speaks the segments of one lane."""
    client = stages.client

    def speak(text: str) -> Generator[bytes]:
        with (
            stages.stage("tts"),
            closing(
                stages.with_fallback("tts", lambda model: client.stream_speech(text, model, reader))
            ) as pieces,
        ):
            yield from pieces

    with closing(Reader()) as reader:
        yield speak


def _without_thoughts(deltas: Iterable[str]) -> Iterator[str]:
    """The deltas without thoughts; before a failure comes all that was written."""
    thoughts, failure = ThoughtFilter(), None
    try:
        for delta in deltas:
            yield thoughts.feed(delta)
    except UpstreamError as error:
        failure = error
    yield thoughts.finish()
    if failure:
        raise failure


def _stripped(texts: Iterable[str]) -> Iterator[str]:
    """The texts without the space around all of them; none is blank. Linear in the texts."""
    blanks, has_begun = list[str](), False
    for text in texts:
        begun = text if has_begun else text.lstrip()
        if kept := begun.rstrip():
            has_begun = True
            yield "".join([*blanks, kept])
            blanks.clear()
        if has_begun:
            blanks.append(begun[len(kept) :])
