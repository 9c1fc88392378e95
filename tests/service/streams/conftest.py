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
def service(served_upstream, tmp_path_factory):
    """The service with all its limits shortened."""
    with served(tmp_path_factory.mktemp("service"), served_upstream.url) as running:
        yield running


@pytest.fixture(scope="module")
def patient_service(served_upstream, tmp_path_factory):
    """One whose deadline is too late to end anything."""
    with served(tmp_path_factory.mktemp("patient"), served_upstream.url, deadline=25) as running:
        yield running
