"""Whatever an upstream does, at whichever stage: the promised code, in time, and no key."""

import socket

import pytest
import trustme
from testing import upstream_faults as faults
from testing.builders import wav
from testing.coded_faults import CODED
from testing.fake_openai import Request, http, in_tls, soon

from parley.upstream.retries import BACKOFF

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
    upstream.answers["stt"] = faults.says(faults.refusal("413 Too Large"), then_close=True)
    converse("upstream_rejected", "stt", faults.OVERRUN)
