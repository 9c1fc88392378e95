"""No upstream and no text holds the worker: others wait a tenth of a second at most."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle

import pytest
import requests
from testing.builders import FROZEN_LIST
from testing.fake_streams import streams_chat
from testing.flooding_peers import TICKETS, flooding
from testing.gunicorn_process import serving
from testing.odd_texts import ANSWERS, FRAMES, TEXTS, filled
from testing.raw_callers import longest_hold
from testing.served_conversations import converse
from testing.upstream_faults import FAULTS, SLOW

MOST_MS = 100
JSON, STREAM, SOUND = "application/json", "text/event-stream", "audio/wav"

WHOLE_CHARACTERS, STREAMED_CHARACTERS = 100_000, 10_000


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    """The address of a TLS upstream that sends session tickets, and its authority's file."""
    with flooding(TICKETS, tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture(scope="module")
def service(served_upstream, tickets, tmp_path_factory):
    variables = {
        "PARLEY_OPENAI_BASE_URL": served_upstream.url,
        "PARLEY_ALLOWED_BASE_URLS": "*",
        "PARLEY_MODEL_LIST": str(FROZEN_LIST),  # It has a model of the Realtime API.
        "PARLEY_DEADLINE": "2",
        "REQUESTS_CA_BUNDLE": tickets[1],
    }
    # Coverage would multiply the time that is measured.
    unmeasured = ("env", "-u", "COVERAGE_PROCESS_CONFIG", "-u", "COVERAGE_PROCESS_START")
    folder = tmp_path_factory.mktemp("service")
    with serving(
        folder / "log", variables, app="testing.measured_app:app", under=unmeasured
    ) as running:
        yield running


@pytest.fixture
def held_ms(service, served_upstream):
    """A conversation that accepts one thing; then how long it held the worker at most."""

    def measure(accept, answers, callers=1, **names):
        served_upstream.answers = answers
        longest_hold(service)
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(lambda _: hold(service, accept, **names), range(callers)))
        return longest_hold(service)

    yield measure
    served_upstream.answers = {}


def hold(service, accept, tts_model="", stt_url=""):
    """One conversation, however it ends; sound may break off."""
    headers = {"Accept": accept, "X-STT-Base-URL": stt_url}
    form = {"audio_format": "wav", "tts_model": tts_model}
    with suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        answer = converse(service, fields=form, **headers)
        assert answer.status_code in (200, 206, 400, 401, 500)


@pytest.mark.parametrize("accept", [JSON, STREAM])  # A text becomes sound alone as it does JSON.
@pytest.mark.parametrize("name", TEXTS)
def test_no_reply_holds_the_worker(held_ms, name, accept):
    """Neither a long one at once, nor one that comes by four characters."""
    characters = STREAMED_CHARACTERS if accept == STREAM else WHOLE_CHARACTERS
    text = filled(TEXTS[name], characters)
    assert held_ms(accept, {"text": streams_chat(reply=lambda body: text)}) < MOST_MS


@pytest.mark.parametrize("accept", [JSON, STREAM])
@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_that_is_hard_to_decode_holds_the_worker(held_ms, name, accept):
    """However much it becomes, and however little."""
    stage, answer = ANSWERS[name]
    assert held_ms(accept, {stage: answer}) < MOST_MS


@pytest.mark.parametrize(
    ("name", "accept"),
    [*((name, JSON) for name in FRAMES), ("single samples", STREAM), ("single samples", SOUND)],
)
def test_no_frames_of_a_websocket_hold_the_worker(held_ms, name, accept):
    """However many arrive at once; only sound is handed on, in a way of each answer's own."""
    voice = "gpt-realtime-2.1-mini"
    assert held_ms(accept, {"tts": FRAMES[name]}, tts_model=voice) < MOST_MS


def test_no_session_tickets_hold_the_worker(held_ms, tickets):
    """They are no data, so that a library reads on and on (RFC 8446, 4.6.1)."""
    assert held_ms(JSON, {}, stt_url=f"https://{tickets[0]}/v1") < MOST_MS


@pytest.mark.parametrize("fault", FAULTS[1:], ids=lambda fault: fault.name)
def test_no_fault_of_an_upstream_holds_the_worker(held_ms, fault):
    """At any stage."""
    for stage, accept in (("stt", JSON), ("text", STREAM), ("tts", SOUND)):
        assert held_ms(accept, {stage: fault.behave}) < MOST_MS, stage


def test_no_slow_upstream_holds_the_worker(held_ms):
    """Thirty conversations at once, each with another one."""
    faults = cycle(SLOW)

    def behave(connection, request):
        return next(faults).behave(connection, request)

    assert held_ms(JSON, {"stt": behave}, callers=30) < MOST_MS
