"""What an operator relies on: slots, log lines, ids and times, statistics."""

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from testing import fake_openai as fake
from testing import fake_realtime
from testing.builders import FROZEN_LIST, KEY, make_app, wav
from testing.conversation_forms import post
from testing.raw_callers import workers_of
from testing.served_conversations import HEADERS, converse, fields_of, held, lines

# As browsers write them: in lower case, and in order.
PAGES_MAY_SEND = sorted(
    f"{whose}-{kind}"
    for whose in ("openai", "stt", "text", "tts")
    for kind in ("api-key", "base-url")
)


def test_a_worker_without_free_slots_refuses_at_once(service, served_upstream):
    """503 with Retry-After, /healthz still answers, and those inside finish.

    None of them has a thread: one serves, one writes the log. Dynos have 256.
    """
    gate, upstream = threading.Event(), served_upstream
    upstream.requests.clear()
    held(upstream, gate)
    with ThreadPoolExecutor(4) as callers:
        inside = [callers.submit(converse, service) for _ in range(4)]
        assert fake.soon(lambda: len(upstream.requests) == 4)
        begun = time.monotonic()
        for _ in range(20):
            refusal = converse(service)
            assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "2")
            assert refusal.json()["errors"][0]["code"] == "overloaded"
        assert requests.get(f"{service.url}/healthz", timeout=5).status_code == 200
        assert requests.post(service.conversation_url, timeout=5).status_code == 401
        assert time.monotonic() - begun < 30
        assert len(upstream.requests) == 4
        [worker] = workers_of(service)
        assert len([*Path(f"/proc/{worker}/task").iterdir()]) == 2
        gate.set()
        assert {future.result().status_code for future in inside} == {200}
    upstream.answers = {}


def test_a_conversation_is_one_line(service):
    """Every field is there, and neither the key nor a word of what was said."""
    response = converse(service, **{"X-Request-ID": "mine-1"})
    converse(service, **{"X-Request-ID": "mine-2", "X-OpenAI-Base-URL": "http://127.0.0.1"})
    requests.get(f"{service.url}/healthz", timeout=5)
    with socket.create_connection(service.address) as caller:
        caller.sendall(f"POST / HTTP/1.1\r\nX-OpenAI-API-Key {KEY}\r\n\r\n".encode())
        assert KEY[:6] not in caller.makefile().read()
    assert service.logs("request_id=mine-2 ")
    told = [line for line in lines(service, 2) if line["request_id"].startswith("mine-")]
    answered, refused = sorted(told, key=lambda line: line["request_id"])
    assert (answered["status"], answered["code"], answered["retries"]) == ("200", "", "0")
    assert int(answered["bytes_in"]) > len(wav())
    assert int(answered["bytes_out"]) == len(response.content)
    assert (answered["stt_model"], answered["text_model"]) == ("whisper-1", "gpt-4o")
    stages = sum(float(answered[f"{stage}_ms"]) for stage in ("stt", "text", "tts"))
    assert 0 < stages <= float(answered["total_ms"]) + 0.2
    assert (refused["status"], refused["code"]) == ("400", "base_url_refused")
    for secret in (KEY, KEY[:7], KEY[-7:], fake.TRANSCRIPT, fake.REPLY, "RIFF"):
        assert secret not in service.log


def test_retries_and_hosts_other_than_the_main_one_are_told(upstream, logged, at_once):
    """With its port; a stage on the main host has no such field, whoever named that."""
    logged.set_level("INFO")
    busy = iter([fake.http(b"{}", "503 Busy")])
    upstream.answers["stt"] = lambda connection, asked: (
        connection.sendall(next(busy, fake.good(asked))) or True
    )
    with fake.running() as other:
        variables = {"PARLEY_TTS_BASE_URL": other.url, "PARLEY_ALLOWED_BASE_URLS": "*"}
        client = make_app(PARLEY_OPENAI_BASE_URL=upstream.url, **variables).test_client()
        for urls in (
            {},
            {"X-STT-Base-URL": other.url, "X-TTS-Base-URL": upstream.url},
            {"X-OpenAI-Base-URL": other.url},
            {"X-OpenAI-Base-URL": other.url, "X-Text-Base-URL": "no url"},
        ):
            post(client, audio=wav(), headers={**HEADERS, **urls})
    main, away = (each.url.split("/")[2] for each in (upstream, other))
    lines = [fields_of(line) for line in logged.text.splitlines() if "total_ms=" in line]
    hosts = [{k: v for k, v in line.items() if k.endswith("_host")} for line in lines]
    assert hosts == [{"tts_host": away}, {"stt_host": away}, {}, {}]
    assert [line["retries"] for line in lines] == ["1", "0", "0", "0"]
    assert main not in logged.text


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("a-1.b_2:c", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("two words", False),
        ("é", False),
        (f"id-{KEY[5:10]}", True),
        (f"id-{KEY[5:11]}", False),
        ("sk-another-key-0123456789", False),  # Though no header says that it is one.
        ("task-42", True),
    ],
)
def test_a_sane_request_id_is_kept(client, named, kept):
    """Any other is replaced: a log must not be written by callers, nor hold their keys."""
    response = client.get("/nowhere", headers={**HEADERS, "X-Request-ID": named})
    returned = response.headers["X-Request-ID"]
    assert (returned == named) is kept
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", returned)


@pytest.mark.parametrize("protocol", ["websocket", "WebSocket", "h2c"])
@pytest.mark.parametrize("path", ["/healthz", "/"])
def test_an_upgrade_is_ignored(client, path, protocol):
    """A server may go on with the protocol that it speaks (RFC 9110, 7.8)."""
    asked = {"Connection": "Upgrade", "Upgrade": protocol}
    assert client.get(path, headers=asked).status_code == 200


def test_every_answer_tells_its_times(client, openai):
    times = r";dur=\d+\.\d"
    for path in ("/healthz", "/", "/api/conversation/"):
        assert re.fullmatch(f"total{times}", client.get(path).headers["Server-Timing"])
    openai.post("https://api.openai.com/v1/chat/completions", status_code=404)
    told = post(client, audio=wav()).headers["Server-Timing"]
    assert re.fullmatch(f"stt{times}, text{times}, total{times}", told)


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("", "https://app.example", None),
        ("https://app.example", "https://app.example", "https://app.example"),
        ("https://app.example http://localhost:3000", "http://localhost:3000", "same"),
        ("https://app.example", "https://app.example.evil.example", None),
        ("https://app.example", "https://appxexample", None),
        ("https://app.example", "null", None),
        ("capacitor://localhost", "capacitor://localhost", "same"),
        ("capacitor://localhost", "null", None),
        ("capacitor://localhost", "capacitor://localhost.evil.example", None),
        ("file://", "file://", "same"),
        ("file://", "null", None),
        ("tauri://localhost ionic://localhost", "ionic://localhost", "same"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop", "same"),
        ("*", "https://any.example", "*"),
        ("*", "null", "*"),
    ],
)
def test_pages_of_listed_origins_may_call(openai, origins, origin, allowed):
    """The preflight and the answer both say so, or both say nothing."""
    client = make_app(PARLEY_ALLOWED_ORIGINS=origins).test_client()
    allowed = origin if allowed == "same" else allowed
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    headers = ", ".join(f"x-{kind}" for kind in PAGES_MAY_SEND)
    asked["Access-Control-Request-Headers"] = headers
    asked["Access-Control-Request-Private-Network"] = "true"
    preflight = client.options("/api/conversation/", headers=asked)
    answer = client.post("/api/conversation/", headers={"Origin": origin})
    assert preflight.status_code == 204
    assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert ("Access-Control-Allow-Private-Network" in preflight.headers) is bool(allowed)
    if allowed:
        assert preflight.headers["Access-Control-Allow-Private-Network"] == "true"
        assert preflight.headers["Access-Control-Allow-Headers"] == headers
        assert "Server-Timing" in answer.headers["Access-Control-Expose-Headers"]


def test_gunicorns_own_statistics_are_enough(serve):
    """The README's one setting sends them over statsd; `--keep-alive 0` still answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(5)
        host = f"--statsd-host=127.0.0.1:{statsd.getsockname()[1]}"
        service = serve("--keep-alive=0", GUNICORN_CMD_ARGS=f"{host} --statsd-prefix=parley")
        answer = converse(service)
        assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        heard = b""
        while b"parley.gunicorn.request.status.200" not in heard or b"duration" not in heard:
            heard += statsd.recv(1500)
    assert b"parley.gunicorn.requests:1|c" in heard


@pytest.mark.system
@pytest.mark.parametrize(
    ("day", "names"),
    [
        ("2026-12-01", ("whisper-1", "gpt-4o", "tts-1")),
        ("2027-01-07", ("whisper-1", "gpt-4o", "gpt-realtime-2.1-mini")),
        ("2027-01-15", ("whisper-1", "gpt-6-luna", "gpt-realtime-2.1-mini")),
        ("2027-03-01", ("gpt-transcribe", "gpt-6-luna", "gpt-realtime-2.1-mini")),
    ],
)
def test_the_service_as_it_is_answers_on_each_day(serve, upstream, tmp_path, day, names):
    """Nothing but the machine's clock is moved; models that have ended are asked for nothing."""
    # libfaketime 0.9.10 turns the absolute monotonic time, to which Python sleeps, into nonsense.
    sleep = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
    (tmp_path / "sitecustomize.py").write_text(sleep)
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    if names[2] != "tts-1":
        upstream.answers["tts"] = fake_realtime.Readings()
    service = serve(
        PARLEY_MODEL_LIST=str(FROZEN_LIST),
        LD_PRELOAD=str(library),
        FAKETIME=f"@{day} 12:00:00",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        TZ="UTC",
        PYTHONPATH=str(tmp_path),
    )
    answer = converse(service)
    assert (answer.status_code, tuple(answer.json()["models_used"].values())) == (200, names)
    assert parsedate_to_datetime(answer.headers["Date"]).date().isoformat() == day
    assert len(upstream.requests) == 3
    assert "model_replaced" not in service.log
