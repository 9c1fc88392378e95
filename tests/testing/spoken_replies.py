"""A reply of forty sentences, how it is spoken, and what of it is heard."""

from itertools import chain

from parley.conversation.event_order import SegmentStarted, SoundPiece, TextDelta
from parley.conversation.spoken_reply import SpokenReply
from parley.conversation.stages import Stages
from parley.deadline import Deadline
from parley.models.registry import Model
from parley.upstream.client import Client

SENTENCES = [f"This is sentence number {number}. " for number in range(40)]
REPLY = "".join(SENTENCES)


def words():
    for word in REPLY.split(" "):
        yield f"{word} " if word else ""


def sound(text):
    for start in range(0, len(text), 7):
        yield text[start : start + 7].encode()


def reply_of(read, speak, lanes=3):
    """A reply that `read` writes, and `speak` speaks in so many lanes."""
    models = {"tts": Model("m", {1: "realtime", 3: "speech"}[lanes])}
    stages = Stages(Client(None, {}, models, Deadline.after(60), None), lambda: True)
    stages.client.stream_reply = lambda transcript: read()
    stages.client.stream_speech = lambda text, reader: speak(text)
    return SpokenReply(stages)


def generator(*deltas):
    yield from deltas


def heard(events):
    """The text, each segment's text, and each segment's sound, as they were told."""
    text, segments, sounds, ended = "", [], [], []
    for event in chain.from_iterable(events):
        match event:
            case TextDelta(delta):
                text += delta
            case SegmentStarted(number, part, _):
                assert number == len(segments)
                segments.append(part)
                sounds.append(b"")
            case SoundPiece(number, data, last):
                assert number == len(segments) - 1
                sounds[-1] += data
                ended += [number] * last
    return text, segments, sounds, ended
