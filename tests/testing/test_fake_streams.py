"""What the streamed tests lean on: the simulated streams are the upstream's, by its own SDK."""

import json

import httpx2
import pytest
from openai.types.chat import ChatCompletionChunk

from testing import coded_speech
from testing.fake_streams import streams_chat
from testing.word_errors import decoded

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
    """Joined, or short of a part, it shows; it is a file that decoders take."""
    speech = coded_speech.encode(TEXT, form)
    assert coded_speech.decode(speech, form) == TEXT
    assert coded_speech.decode(speech + coded_speech.encode("!", form), form) == TEXT + "!"
    with pytest.raises(AssertionError):
        coded_speech.decode(speech[:-7], form)
    assert decoded(speech, form)
