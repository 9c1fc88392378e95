"""The chain by itself, without HTTP in front of it: what it keeps, and where it stops."""

from contextlib import suppress
from io import BytesIO

import gevent
import pytest
import requests
from requests_mock import Mocker
from testing.builders import make_client
from testing.conversation_forms import BASE, STT, TEXT, TTS

from parley import errors
from parley.conversation.segments import speakable
from parley.conversation.stages import Conversation, Stages
from parley.models.registry import Model
from parley.recordings import KINDS, Recording

INTERFACES = {"stt": "transcriptions", "text": "chat", "tts": "speech"}
UNKNOWN = {"status_code": 404, "json": {"error": {"message": "No.", "code": "model_not_found"}}}


def begin(fallback: bool = True) -> Stages:
    """The stages of a conversation over the simulated upstream, with or without fallbacks."""
    models = {}
    for stage, interface in INTERFACES.items():
        new = Model(f"new-{stage}", interface) if fallback else None
        models[stage] = Model(f"old-{stage}", interface, fallback=new)
    return Stages(make_client(BASE, models), lambda: True)


def hold(fallback: bool = True) -> Conversation:
    """The whole of such a conversation, whose recording is closed: it may lie on a disk."""
    recording = Recording(BytesIO(b"RIFF"), 4, KINDS[0])
    conversation = begin(fallback).converse(recording)
    assert recording.stream.closed
    return conversation


def used(conversation: Conversation) -> list[str]:
    return [model.name for model in conversation.models_used.values()]


def says(content: str, **choice: object) -> dict[str, object]:
    """A reply."""
    return {"json": {"choices": [{"message": {"content": content}, **choice}]}}


AMID = says("Old", finish_reason="error", error={"message": "No.", "code": "model_not_found"})


@pytest.mark.parametrize(
    ("answers", "reply", "failure", "name"),
    [
        ([UNKNOWN, says("New", finish_reason="length")], "New", errors.TextIncomplete, "new-text"),
        (
            [UNKNOWN, *[says("New", finish_reason="error")] * 3],
            "New",
            errors.UpstreamError,
            "new-text",
        ),
        ([AMID, says("New", finish_reason="length")], "New", errors.TextIncomplete, "new-text"),
        ([AMID, says("")], "", errors.UpstreamMalformed, "old-text"),
        ([AMID, AMID], "", errors.ModelNotFound, "old-text"),
    ],
    ids=["not finished", "broken", "both began", "blank", "both unknown"],
)
def test_a_fallback_says_its_own_words(openai: Mocker, logged, answers, reply, failure, name):
    """Part of a reply is an answer; what the unknown model had written is none."""
    openai.post(TEXT, answers)
    conversation = hold()
    assert isinstance(conversation.failure, failure)
    assert (conversation.reply, bool(conversation.speech)) == (reply, bool(reply))
    assert used(conversation)[1] == name
    assert ("event=model_replaced stage=text" in logged.text) is (name == "new-text")


@pytest.mark.parametrize("fallback", [True, False])
def test_a_fallback_counts_as_used_once_it_has_answered(openai: Mocker, logged, fallback: bool):
    """Where the upstream knows neither model, or there is no other, the first is named."""
    openai.post(TEXT, **UNKNOWN)
    conversation = hold(fallback)
    assert isinstance(conversation.failure, errors.ModelNotFound)
    assert used(conversation) == ["old-stt", "old-text", "old-tts"]
    assert "model_replaced" not in logged.text
    assert len(openai.request_history) == (3 if fallback else 2)


def test_the_conversation_has_a_record_of_every_call(openai: Mocker):
    """Retries are told apart from first tries; one without an answer has no id."""
    openai.post(TTS, content=b"ID3 speech", headers={"x-request-id": "up-4"})
    openai.post(
        TEXT,
        [
            {"status_code": 500, "headers": {"x-request-id": "up-1"}},
            {"exc": requests.ConnectionError},
            {**UNKNOWN, "headers": {"x-request-id": "up-2"}},
            says("It is noon."),
        ],
    )
    conversation = hold()
    assert conversation.failure is None
    told = [(attempt.upstream_id, attempt.is_retry) for attempt in conversation.attempts]
    text = [("up-1", False), ("", True), ("up-2", True), ("", False)]
    assert told == [("", False), *text, ("up-4", False)]


def test_what_is_said_is_counted_and_a_long_answer_waits_for_room(openai: Mocker):
    """Its text is counted until the conversation ends, and its bytes while they are read."""
    words = "a" * 300_000
    openai.post(STT, json={"text": words})
    openai.post(TEXT, **says(words))
    stages = begin()
    stages.converse(Recording(BytesIO(b"RIFF"), 4, KINDS[0]))
    assert stages.client.usage.size > 4 * len(words)
    stages = begin()
    stages.client.usage.budget.size = 0
    stages.client.deadline.moment -= 19.5
    failure = stages.converse(Recording(BytesIO(b"RIFF"), 4, KINDS[0])).failure
    assert (failure.stage, type(failure)) == ("stt", errors.DeadlineExceeded)


LONG = {
    "prose": ("Here is a sentence. " * 20_000, 10, 5_000),  # 4,096 characters of it are spoken.
    "brackets": (("[" * 20 + "Abc! " * 80) * 1_000, 10, 20_000),
    "code": ("```\n" + "x = 1. Y\n" * 10_000, 220, 400),  # Nothing of it is spoken.
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_reply_lets_others_run_until_the_deadline(openai: Mocker, monkeypatch, kind):
    """And it is read no further than it is spoken."""
    reply, fewest, most = LONG[kind]
    parsed, rests = [], []

    def counted(text: str) -> str:
        parsed.append(len(text))
        return speakable(text)

    monkeypatch.setattr("parley.conversation.segments.speakable", counted)
    monkeypatch.setattr("parley.conversation.segments.let_others_run", lambda: rests.append(1))
    stages = begin()
    stages.conversation.reply = reply
    with suppress(errors.TextTruncated):
        stages._speak(stages.client.speak)
    assert len(rests) >= fewest
    assert sum(parsed) <= most
    stages.client.deadline.moment = 0.0
    with pytest.raises(errors.DeadlineExceeded):
        stages._speak(stages.client.speak)


def test_a_kill_is_no_caller_who_has_left():
    """What ends with its caller ends for other reasons, too, and says by which."""

    def wait() -> None:
        with begin().while_connected():
            gevent.sleep(60)

    waiting = gevent.spawn(wait)
    gevent.sleep(0)
    waiting.kill(timeout=5)
    assert isinstance(waiting.value, gevent.GreenletExit)
