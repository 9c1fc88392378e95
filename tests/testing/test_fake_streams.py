"""What the streamed tests lean on: the simulated streams are the upstream's, by its own SDK."""

import io
import json

import av
import httpx2
import pytest
from openai.types.chat import ChatCompletionChunk

from testing import coded_speech
from testing.fake_streams import streams_chat

TEXT = "Grüße aus 東京, und viel Glück! 🙂 " * 4


def test_the_plain_chat_stream_is_typed_whole(upstream):
    """Nothing is in its chunks that the SDK does not know, and nothing is missing."""
    upstream.answers["text"] = streams_chat("usage", reply=lambda body: TEXT)
    answer = httpx2.post(f"{upstream.url}/chat/completions", json={"stream": True})
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    for line in events:
        sent = json.loads(line.removeprefix("data: "))
        chunk = ChatCompletionChunk.model_validate(sent, strict=True)
        assert chunk.model_dump(exclude_unset=True) == sent
        assert not chunk.model_extra


@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
def test_coded_speech_tells_its_text(form):
    """It is a real file that plays as long as it should; joined, or short of a part, it shows."""
    speech = coded_speech.encode(TEXT, form)
    assert coded_speech.decode(speech, form) == TEXT
    assert coded_speech.decode(speech + coded_speech.encode("!", form), form) == TEXT + "!"
    with pytest.raises(AssertionError):
        coded_speech.decode(speech[:-7], form)
    size = len(TEXT.encode())
    raw = {"format": "s16le", "options": {"sample_rate": "24000"}} if form == "pcm" else {}
    with av.open(io.BytesIO(speech), **raw) as container:
        seconds = sum(frame.samples for frame in container.decode(audio=0)) / 24_000
    frames = -(-size // coded_speech.FRAME_TEXT) * coded_speech.FRAME_SECONDS
    assert seconds == pytest.approx(frames if form == "mp3" else size / 100, abs=0.1)
