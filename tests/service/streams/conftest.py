"""What the tests of streams and of sound alone share: an upstream that streams."""

import pytest
from testing.fake_streams import streams_chat, streams_speech
from testing.served_streams import REPLY, served


@pytest.fixture(autouse=True)
def upstream(served_upstream, request):
    """The upstream, which gives the file's reply as it should until the test says otherwise."""
    served_upstream.answers = {
        "text": streams_chat(reply=lambda body: getattr(request.module, "REPLY", REPLY)),
        "tts": streams_speech(),
    }
    served_upstream.requests.clear()
    return served_upstream


@pytest.fixture(scope="module")
def service(request, served_upstream, tmp_path_factory):
    """The service with the shortened limits of all, and the module's LIMITS and DEADLINE."""
    limits, deadline = request.module.LIMITS, request.module.DEADLINE
    folder = tmp_path_factory.mktemp("service")
    with served(folder, served_upstream.url, limits, deadline) as running:
        yield running
