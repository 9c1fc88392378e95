"""Whatever an upstream does, at whichever stage: the promised code, in time, and no key."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
import trustme
from requests_mock import Mocker
from testing import upstream_faults as faults
from testing.builders import make_client, wav
from testing.coded_faults import CODED
from testing.conversation_forms import BASE, TTS
from testing.fake_openai import Request, http, in_tls, soon

from parley.errors import UpstreamError
from parley.memory import Spool
from parley.models.registry import Model
from parley.recordings import KINDS, Recording
from parley.upstream.calls import BACKOFF, AttemptRecord
from parley.upstream.client import Client

STAGES = ("stt", "text", "tts")

# All stages call the same transport, so that TLS, and each way to be slow, is tried at one of them;
# what an answer faults.says is the same in TLS.
CASES = [
    *(pytest.param("http", stage, fault) for fault in [*faults.FAULTS, *CODED] for stage in STAGES),
    *(pytest.param("http", "stt", fault) for fault in faults.SLOW[1:]),
    *(pytest.param("https", "stt", fault) for fault in faults.SLOW),
    *(pytest.param("https", "stt", fault) for fault in [*faults.BROKEN, *faults.UNUSABLE, *CODED]),
]


@pytest.mark.parametrize(
    ("upstream", "stage", "fault"),
    CASES,
    indirect=["upstream"],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_fault_ends_in_its_code_and_in_time(upstream, converse, stage, fault):
    upstream.answers[stage] = fault.behave
    answer = converse(fault.code, stage, fault.seconds)
    assert bool(answer["transcript"]) is (stage != "stt")
    assert bool(answer["text_response"]) is (stage == "tts")
    assert answer["audio"] == ""
    assert [request.stage for request in upstream.requests].count(stage) == fault.tries


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize(("greet", "code"), faults.GREETINGS)
def test_a_connection_that_is_never_made_ends_in_time(upstream, converse, monkeypatch, greet, code):
    """TLS that stalls, breaks or is none: connecting has a limit of its own, and more tries."""
    if code == "upstream_timeout":  # The others may take their time on a busy machine.
        monkeypatch.setattr("parley.wire.connections.CONNECT_SECONDS", 0.2)
    upstream.greet = greet
    converse(code, "stt", faults.LATE)
    # Others than this one count them.
    assert soon(lambda: upstream.connections == 1 + len(BACKOFF))


@pytest.mark.parametrize("upstream", ["https"], indirect=True)
@pytest.mark.parametrize("is_stranger", [True, False])
def test_a_certificate_proves_the_hosts_name_by_the_operators_bundle_alone(
    upstream, converse, authority, monkeypatch, tmp_path, is_stranger
):
    """Nothing is sent to a host whose certificate another authority signed, or for another name."""
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(tmp_path / "usual.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "usual.pem"))
    upstream.tls = in_tls(stranger) if is_stranger else in_tls(authority, "elsewhere.example")
    converse("upstream_unavailable", "stt", faults.OVERRUN)
    assert upstream.requests == []


@pytest.mark.parametrize("stage", STAGES)
def test_what_fails_once_works_at_the_second_try(upstream, converse, stage):
    """A passing failure costs the caller nothing but time; the upload is sent anew, whole."""

    def fail_once(connection: socket.socket, request: Request) -> bool:
        del upstream.answers[stage]
        connection.sendall(http(b"{}", "503 Busy", retry_after_ms="20"))
        return True

    upstream.answers[stage] = fail_once
    converse(None, stage, faults.LATE)
    first, second = [request for request in upstream.requests if request.stage == stage]
    if stage == "stt":
        assert wav(1.0) in first.body
        assert wav(1.0) in second.body
    else:
        assert first.body == second.body
    assert upstream.connections == 1  # A refusal is read to its end.


@pytest.mark.parametrize("upstream", ["http", "https"], indirect=True)
def test_a_conversation_needs_one_connection(upstream, converse):
    """Connecting, and TLS, cost more than the call; one that died idle meanwhile is replaced."""
    for connections in (1, 2):
        converse(None, "stt", faults.LATE)
        assert (len(upstream.requests), upstream.connections) == (3 * connections, connections)
        upstream.drop_connections()


@pytest.mark.parametrize("upstream", ["http", "https"], indirect=True)
def test_an_upload_refused_half_way_is_still_understood(upstream, converse):
    """The upstream's 413 counts, not the broken pipe of what was still being sent."""
    upstream.answers["stt"] = faults.closes(faults.refusal("413 Too Large"))
    converse("upstream_rejected", "stt", faults.OVERRUN)


MODELS = {
    "stt": Model("whisper-1", "transcriptions", {"temperature": "0"}),
    "text": Model("gpt-6-luna", "chat", {"reasoning_effort": "none"}),
    "tts": Model("tts-1", "speech", {"speed": 1.1}),
}
READER = Model("gpt-realtime-2.1-mini", "realtime")


@pytest.fixture
def client() -> Client:
    """The calls of one conversation, with twenty seconds left."""
    return make_client(BASE, dict(MODELS))


def test_a_call_has_the_parameters_of_its_models_row_and_nothing_more(client, openai):
    client.transcribe(Recording(BytesIO(b"bytes"), 5, KINDS[0]))
    form = b"".join(openai.last_request.body)
    for field in (b'"model"\r\n\r\nwhisper-1', b'"temperature"\r\n\r\n0'):
        assert field in form
    assert client.complete("What time is it?") == ("It is noon.", None)
    asked = openai.last_request.json()
    asked.pop("messages")
    assert asked == {"model": "gpt-6-luna", "reasoning_effort": "none", "stream": False}
    assert client.speak("It is noon.").read() == b"ID3 speech"
    spoken = {"model": "tts-1", "input": "It is noon.", "voice": "alloy"}
    assert openai.last_request.json() == {**spoken, "response_format": "mp3", "speed": 1.1}


def test_a_refused_websocket_is_recorded_with_its_id(client: Client, openai: Mocker):
    client.models_used["tts"] = READER
    openai.get(f"{BASE}/realtime", status_code=403, headers={"x-request-id": "up-1"})
    with pytest.raises(UpstreamError):
        client.speak("Hello.")
    assert client.attempts == [AttemptRecord(is_retry=False, upstream_id="up-1")]


def test_calls_side_by_side_keep_their_records_apart(client: Client, openai: Mocker):
    """The first calls end last here, and still each id stands on its own call's record."""

    def speak(request, context):
        number = int(request.json()["input"])
        time.sleep(0.01 * (20 - number))
        context.headers["x-request-id"] = f"up-{number}"
        return b"ID3 %d" % number

    openai.post(TTS, content=speak)
    texts = [str(number) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        speeches = list(pool.map(client.speak, texts))
    assert [speech.read() for speech in speeches] == [b"ID3 " + text.encode() for text in texts]
    ids = sorted(record.upstream_id for record in client.attempts if not record.is_retry)
    assert ids == sorted(f"up-{text}" for text in texts)


def test_what_fails_amid_an_answer_ends_the_attempt(client: Client, monkeypatch):
    """A disk that is full must not leave connections open for as long as somebody has the error."""
    ended = []

    def speaks(*_):
        try:
            yield b"ID3"
        finally:
            ended.append(True)

    monkeypatch.setattr(Client, "_speech_of", speaks)
    monkeypatch.setattr(Spool, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError) as raised:
        client.speak("Hello.")
    assert raised.tb
    assert ended
