"""One upstream and one application for tables with many rows; each row begins anew."""

import pytest
from testing.builders import make_app
from testing.fake_openai import Upstream
from testing.fake_streams import streams_chat, streams_speech


@pytest.fixture(scope="module")
def lasting(served_upstream) -> Upstream:
    served_upstream.client = make_app(PARLEY_OPENAI_BASE_URL=served_upstream.url).test_client()
    return served_upstream


@pytest.fixture
def met(lasting, at_once) -> Upstream:
    """The upstream, which answers well until a row tells it otherwise, and streams if asked to."""
    lasting.answers = {"text": streams_chat(), "tts": streams_speech()}
    lasting.requests.clear()
    return lasting
