"""An upstream that fails as a test tells it, plain or in TLS, and a conversation with it."""

import dataclasses
import logging
import time

import pytest
from testing import conversation_forms
from testing.builders import KEY, make_app, wav
from testing.upstream_faults import DEADLINE

PATIENCE = 20
STATUS_AT_STT = {"api_key_rejected": 401, "upstream_rejected": 400}


@pytest.fixture
def converse(upstream, authority, at_once, tmp_path, caplog):
    """Hold one conversation with the upstream; check what is always so, and return the answer."""
    caplog.set_level(logging.DEBUG)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    app = make_app(ca_bundle=str(bundle), PARLEY_OPENAI_BASE_URL=upstream.url)
    parley = app.extensions["parley"]

    def hold(code: str | None, stage: str, seconds: float, **fields: str) -> dict:
        # Only what is to meet its deadline has a short one: the machine may be busy.
        deadline = DEADLINE if code == "deadline_exceeded" else PATIENCE
        settings = dataclasses.replace(parley.settings, deadline=deadline)
        app.extensions["parley"] = dataclasses.replace(parley, settings=settings)
        began = time.monotonic()
        response = conversation_forms.converse(app.test_client(), audio=wav(1.0), **fields)
        assert time.monotonic() - began < seconds
        told = [(error["code"], error["stage"]) for error in response.json["errors"]]
        assert told == ([(code, stage)] if code else [])
        status = STATUS_AT_STT.get(code, 500) if stage == "stt" else 206
        assert response.status_code == (status if code else 200)
        for text in (response.text, str(response.headers), caplog.text):
            assert not any(KEY[i : i + 4] in text for i in range(3, len(KEY) - 4))
        return response.json

    return hold
