"""One upstream and one application for tables with many rows; each row begins anew."""

from collections.abc import Iterator

import pytest
from testing import fake_openai
from testing.builders import make_app
from testing.fake_streams import streams_chat, streams_speech


@pytest.fixture(scope="module")
def lasting() -> Iterator[fake_openai.Upstream]:
    with fake_openai.running() as running:
        running.client = make_app(PARLEY_OPENAI_BASE_URL=running.url).test_client()
        yield running


@pytest.fixture
def met(lasting, at_once) -> fake_openai.Upstream:
    """The upstream, which answers well until a row tells it otherwise, and streams if asked to."""
    lasting.answers = {"text": streams_chat(), "tts": streams_speech()}
    lasting.requests.clear()
    return lasting
