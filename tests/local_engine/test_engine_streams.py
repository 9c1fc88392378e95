"""The engine's streams: the upstream's shapes, sent as they are made, ended with their reader."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

import av
import pytest
import requests
from openai.types.chat import ChatCompletionChunk

STORY = "Write a very long story about a dragon."
LONG = "One more sentence is spoken here. " * 15
CAPITAL = "What is the capital of France?"


def text_of(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@pytest.mark.parametrize("counted", [False, True])
def test_a_reply_is_sent_in_the_events_of_the_upstream(base_url, models, counted):
    """A role, the pieces, the reason, the usage if it was asked for, and `[DONE]`; no more."""
    sent = {"model": models["text"], "messages": [{"role": "user", "content": CAPITAL}]}
    sent |= {"stream": True, "max_tokens": 20, "stream_options": {"include_usage": counted}}
    answer = requests.post(
        f"{base_url}/chat/completions", json=sent, headers={"Authorization": "Bearer x"}, timeout=60
    )
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    *events, done, end = answer.content.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    assert all(event.startswith("data: ") for event in events)
    chunks = [ChatCompletionChunk.model_validate_json(event[6:], strict=True) for event in events]
    if counted:
        assert chunks[-1].choices == []
        assert chunks.pop().usage.completion_tokens == 20
    assert not any(json.loads(event[6:]).get("usage") for event in events[: len(chunks)])
    (first,), *middle, (last,) = [chunk.choices for chunk in chunks]
    assert (first.delta.role, first.finish_reason) == ("assistant", None)
    assert all(choice.delta.content and not choice.finish_reason for (choice,) in middle)
    assert (last.delta.content, last.finish_reason) == (None, "length")


def test_a_reply_is_sent_as_it_is_written(ask):
    """Its first word is there long before its last."""
    begun = time.monotonic()
    chunks = iter(ask(STORY, stream=True, max_tokens=50))
    while not text_of([next(chunks)]):
        pass
    first = time.monotonic() - begun
    assert len(text_of(chunks)) > 75
    assert first < (time.monotonic() - begun) / 2


@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
def test_speech_is_sent_as_it_is_spoken(client, models, say, form):
    """A long text's first sentence is on its way while the last is still to be spoken."""
    begun = time.monotonic()
    with client.audio.speech.with_streaming_response.create(
        model=models["tts"], voice="nova", input=LONG, response_format=form
    ) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        parts = response.iter_bytes()
        audio = next(parts)
        first = time.monotonic() - begun
        audio += b"".join(parts)
    assert first < (time.monotonic() - begun) / 2
    assert audio == say(LONG, form)


def test_a_streamed_wav_admits_that_its_length_is_unknown(say):
    """Its two lengths are as high as can be, as the upstream's are, and players read to the end."""
    audio = say("Hello.", "wav")
    assert audio[4:8] == audio[audio.index(b"data") + 4 :][:4] == b"\xff" * 4
    with av.open(io.BytesIO(audio)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == len(say("Hello.", "pcm")) / 2


def test_streams_at_once_do_not_disturb_each_other(ask, say):
    """Three segments spoken while replies are written are what they are when spoken alone."""
    texts = [f"This is segment {n}. It is spoken beside others." for n in ("one", "two", "three")]
    alone = [say(text, "pcm") for text in texts]
    with ThreadPoolExecutor() as pool:
        replies = [pool.submit(lambda: text_of(ask(CAPITAL, stream=True))) for _ in range(3)]
        assert list(pool.map(lambda text: say(text, "pcm"), texts)) == alone
    assert all("Paris" in reply.result() for reply in replies)


def test_abandoned_replies_leave_the_engine_free(ask):
    """Nobody waits for replies that nobody reads: these would take minutes."""
    for number in range(10):  # More than it writes at once.
        stream = ask(f"Write story {number}.", stream=True, max_tokens=1900)
        next(iter(stream))
        stream.close()
    begun = time.monotonic()
    assert text_of(ask("Hello.", stream=True, max_tokens=3))
    assert time.monotonic() - begun < 60


def test_abandoned_speech_ends(client, models, ends):
    """Nobody waits for speech that nobody hears: this would take a minute and more."""
    for _ in range(12):
        with client.audio.speech.with_streaming_response.create(
            model=models["tts"], voice="nova", input=LONG * 7, response_format="mp3"
        ) as response:
            next(response.iter_bytes())
    assert ends("POST /v1/audio/speech", 12)


@pytest.mark.parametrize(
    ("question", "system"),
    [("What is my dog called?", True), ("What is the name of my dog?", False)],
)
def test_a_second_turn_knows_the_first(client, models, question, system):
    """Earlier turns reach the model in their order; without them it cannot know."""
    told = [{"role": "system", "content": "Answer in one short plain sentence."}] * system
    turns = [
        {"role": "user", "content": "My dog is called Rex."},
        {"role": "assistant", "content": "What a lovely dog!"},
    ]
    asked = {"role": "user", "content": question}
    with_history, without = (
        client.chat.completions.create(
            model=models["text"], messages=[*told, *history, asked], max_tokens=20
        )
        for history in (turns, [])
    )
    assert "Rex" in with_history.choices[0].message.content
    assert "Rex" not in without.choices[0].message.content
