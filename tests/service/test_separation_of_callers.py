"""Conversations share connections and nothing else; a caller's key shows up nowhere."""

import base64
import json
import random
import re
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests
import trustme
from testing import fake_openai as fake
from testing.builders import ROOT, wav
from testing.fake_streams import streams_chat
from testing.gunicorn_process import serving
from testing.stream_readers import events_of, heard

CONVERSATIONS = 500
CLIENTS = 64


def echo(connection: socket.socket, request: fake.Request) -> bool:
    """Answer with what was sent, under a cookie of its own for each connection."""
    cookie = {"Set_Cookie": f"session={request.connection}; Path=/", "x_request_id": "req_echo"}
    key = request.headers["authorization"].removeprefix("Bearer ")
    if request.stage == "stt":
        marker = re.search(rb"marker:(\w+)", request.body)[1].decode()
        answer = json.dumps({"text": f"{marker} {key} {request.headers.get('cookie')}"}).encode()
    elif request.stage == "text":
        asked = json.loads(request.body)
        said = asked["messages"][1]["content"]
        reply = f"{said} {key} {request.headers.get('cookie')}"
        if asked.get("stream"):
            return streams_chat(reply=lambda body: reply)(connection, request)
        answer = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
    else:
        answer = json.loads(request.body)["input"].encode() + key.encode()
    connection.sendall(fake.http(answer, **cookie))
    return True


def told_in_json(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech."""
    answer = response.json()
    speech = base64.b64decode(answer["audio"]).decode()
    return answer["transcript"], answer["text_response"], speech


def told_in_a_stream(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech; each segment is one call, which echoes the key at its end."""
    stream = heard(events_of([response.content]))
    [speech] = stream.sounds
    return stream.transcript, stream.text, speech.decode()


def told_in_headers(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech."""
    texts = [unquote(response.headers[name]) for name in ("X-Transcript", "X-Text-Response")]
    return texts[0], texts[1], response.text


TOLD = {
    "application/json": told_in_json,
    "text/event-stream": told_in_a_stream,
    "audio/mpeg": told_in_headers,
}


def test_no_conversation_sees_another(tmp_path: Path):
    """500 conversations from 64 clients at once: each answer is made of its own request alone.

    Every third is a stream, and every third is sound alone.
    """
    with fake.running() as upstream:
        upstream.answers = dict.fromkeys(("stt", "text", "tts"), echo)
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
        with serving(tmp_path / "log", variables) as service:
            local = threading.local()

            def converse(number: int) -> None:
                local.session = getattr(local, "session", None) or requests.Session()
                key, marker = f"sk-{random.getrandbits(128):032x}", f"m{number:04d}"
                accept = ("application/json", "text/event-stream", "audio/mpeg")[number % 3]
                response = local.session.post(
                    service.conversation_url,
                    headers={"X-OpenAI-API-Key": key, "Accept": accept},
                    files={"audio": wav() + f"marker:{marker}".encode()},
                    timeout=30,
                )
                assert response.status_code == 200
                assert response.headers["Content-Type"].startswith(accept)
                assert not response.cookies
                transcript, reply, speech = TOLD[accept](response)
                assert transcript == f"{marker} {key} None"
                assert reply == f"{marker} {key} None {key} None"
                assert speech == f"{reply}{key}"

            with ThreadPoolExecutor(CLIENTS) as pool:
                assert len(list(pool.map(converse, range(CONVERSATIONS)))) == CONVERSATIONS
        assert upstream.connections < CONVERSATIONS  # They did share connections.


# A way to fail, what does, and its code: each is tried with a key of its own.
FAILURES = {
    "works": (None, None),
    "refused": (
        fake.http(b'{"error": {"message": "KEY is wrong"}}', "401 Unauthorized"),
        "api_key_rejected",
    ),
    "rejected": (
        fake.http(b'{"error": {"message": "KEY? no!"}}', "400 Bad Request"),
        "upstream_rejected",
    ),
    "redirected": (
        fake.http(b"", "302 Found", Location="http://127.0.0.1:1/KEY"),
        "upstream_rejected",
    ),
    "malformed": (fake.http(b"KEY"), "upstream_malformed"),
    "identified": (fake.http(b"{}", "500 Oops", x_request_id="KEY"), "upstream_unavailable"),
    "cut off": (
        b"HTTP/1.1 200 OK\r\nX-KEY: KEY\r\nContent-Length: 9\r\n\r\n",
        "upstream_unavailable",
    ),
    "not HTTP": (b"KEY\r\n", "upstream_unavailable"),
}


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_a_key_shows_up_nowhere(tmp_path: Path, level: str):
    """Neither in what the process writes, nor in its title, nor in an answer: not even a part."""
    keys = {name: f"sk-{random.getrandbits(160):040x}" for name in FAILURES}
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with fake.running(tls) as upstream:
        variables = {
            "PARLEY_OPENAI_BASE_URL": upstream.url,
            "PARLEY_LOG_LEVEL": level,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "authority.pem"),
        }
        with serving(tmp_path / "log", variables) as service:
            written = []
            for name, key in keys.items():
                answer, code = FAILURES[name]
                if answer:
                    answer = answer.replace(b"KEY", key.encode())
                    upstream.answers["stt"] = lambda connection, _, answer=answer: (
                        connection.sendall(answer)
                    )
                response = requests.post(
                    service.conversation_url,
                    headers={"X-OpenAI-API-Key": key, "X-Request-ID": key},
                    files={"audio": (f"{key}.wav", wav())},
                    timeout=10,
                )
                told = [error["code"] for error in response.json()["errors"]]
                assert told == ([code] if code else []), name
                written += [response.text, str(response.headers)]
            refused = requests.post(
                service.conversation_url,
                headers={"X-OpenAI-API-Key": keys["works"], "X-OpenAI-Base-URL": "http://10.0.0.1"},
                timeout=10,
            )
            written += [refused.text, Path(f"/proc/{service.process.pid}/cmdline").read_text()]
        written.append(service.log)
    for key in keys.values():
        for text in written:
            shown = [key[i : i + 8] for i in range(len(key) - 7) if key[i : i + 8] in text]
            assert not shown, text


def test_the_guard_stands_on_the_real_path(tmp_path: Path):
    """A service that gunicorn started refuses to connect inside, and does not connect."""
    with fake.running() as upstream, serving(tmp_path / "log", {}) as service:
        port = upstream.url.rpartition(":")[2].removesuffix("/v1")
        for url in (
            f"https://127.0.0.1:{port}/v1",
            f"https://localhost:{port}/v1",
            f"https://2130706433:{port}/v1",
            f"https://[::ffff:127.0.0.1]:{port}/v1",
            upstream.url,
        ):
            response = requests.post(
                service.conversation_url,
                headers={"X-OpenAI-API-Key": "sk-12345678", "X-OpenAI-Base-URL": url},
                files={"audio": wav()},
                timeout=10,
            )
            assert response.status_code == 400
            assert response.json()["errors"][0]["code"] == "base_url_refused"
        assert upstream.connections == 0


def test_the_guard_judges_what_a_name_leads_to_on_the_real_path(tmp_path: Path):
    """A public name that resolves inside, at once or on second thoughts, is not connected to."""
    app = ROOT / "tests" / "testing" / "dns_rebinding_app.py"
    (tmp_path / app.name).write_text(app.read_text())
    with fake.running() as upstream:
        port = upstream.url.rpartition(":")[2].removesuffix("/v1")
        with serving(
            tmp_path / "log", {"PYTHONPATH": str(tmp_path)}, app="dns_rebinding_app:app"
        ) as service:
            for host in ("inside.example", "rebinding.example"):
                response = requests.post(
                    service.conversation_url,
                    headers={
                        "X-OpenAI-API-Key": "sk-12345678",
                        "X-OpenAI-Base-URL": f"https://{host}:{port}/v1",
                    },
                    files={"audio": wav()},
                    timeout=10,
                )
                assert response.status_code == 400
                assert response.json()["errors"][0]["code"] == "base_url_refused"
        assert upstream.connections == 0
