"""What the tests of streams and of sound alone share: an upstream that streams."""

import pytest
from testing.fake_streams import streams_chat, streams_speech


@pytest.fixture(autouse=True)
def upstream(served_upstream, request):
    """The upstream, which gives the file's reply as it should until the test says otherwise."""
    served_upstream.answers = {
        "text": streams_chat(reply=lambda body: request.module.REPLY),
        "tts": streams_speech(),
    }
    served_upstream.requests.clear()
    return served_upstream
