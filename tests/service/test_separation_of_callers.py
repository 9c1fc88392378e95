"""Conversations share connections and nothing else; a caller's key shows up nowhere."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import requests
import trustme
from testing import fake_openai as fake
from testing.builders import wav
from testing.echoing_upstream import TOLD, echo
from testing.gunicorn_process import serving
from testing.served_conversations import converse
from testing.upstream_faults import closes

CONVERSATIONS = 240
CLIENTS = 64
STAGES = {"stt": "STT", "text": "Text", "tts": "TTS"}
BASE_URL_HEADERS = [f"X-{name}-Base-URL" for name in ("OpenAI", *STAGES.values())]


def test_no_conversation_sees_another(tmp_path: Path):
    """240 conversations from 64 clients at once, each with its own keys on its own choice of hosts.

    Every third is a stream, and every third is sound alone; every fourth names no host and one key.
    Each host answers what it was asked and with which key, and so tells of any mistake.
    """
    with ExitStack() as opened:
        hosts = [opened.enter_context(fake.running()) for _ in STAGES]
        for upstream in hosts:
            upstream.answers = dict.fromkeys(STAGES, echo)
        variables = {
            "PARLEY_OPENAI_BASE_URL": hosts[0].url,
            "PARLEY_ALLOWED_BASE_URLS": "*",
            "WEB_CONCURRENCY": "2",
        }
        service = opened.enter_context(serving(tmp_path / "log", variables))
        local = threading.local()

        def talk(number: int) -> dict[str, str]:
            local.session = getattr(local, "session", None) or requests.Session()
            draw = random.Random(number)
            keys = {stage: f"sk-{draw.getrandbits(128):032x}" for stage in STAGES}
            headers = {"X-OpenAI-API-Key": f"sk-{draw.getrandbits(128):032x}"}
            asked, share = {}, 0.7 if number % 4 else 0
            for stage, name in STAGES.items():
                asked[stage] = draw.choice(hosts)
                if draw.random() < share:
                    headers[f"X-{name}-Base-URL"] = asked[stage].url
                else:
                    asked[stage] = hosts[0]
                if draw.random() < share:
                    headers[f"X-{name}-API-Key"] = keys[stage]
                elif f"X-{name}-Base-URL" in headers:
                    keys[stage] = "none"
                else:
                    keys[stage] = headers["X-OpenAI-API-Key"]
            headers["Accept"] = accept = tuple(TOLD)[number % 3]
            marker = f"m{number:04d}"
            response = local.session.post(
                service.conversation_url,
                headers=headers,
                files={"audio": wav() + f"marker:{marker}".encode()},
                timeout=120,
            )
            assert response.status_code == 200
            assert not response.cookies
            transcript, reply, speech = TOLD[accept](response)
            assert transcript == f"{marker} {keys['stt']} None"
            assert reply == f"{transcript} {keys['text']} None"
            assert speech == f"{reply}{keys['tts']}"
            return {stage: host.url for stage, host in asked.items()}

        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = list(pool.map(talk, range(CONVERSATIONS)))
        for host in hosts:
            for stage in STAGES:
                calls = [request for request in host.requests if request.stage == stage]
                assert len(calls) == sum(each[stage] == host.url for each in asked) > 0
            assert host.connections < len(host.requests)  # Callers did share connections.


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


def test_a_key_shows_up_nowhere(tmp_path: Path, authority: trustme.CA):
    """Neither in what the process writes, nor in its title, nor in an answer: not even a part."""
    keys = {name: f"sk-{random.getrandbits(160):040x}" for name in FAILURES}
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with fake.running(fake.in_tls(authority)) as upstream:
        variables = {
            "PARLEY_OPENAI_BASE_URL": upstream.url,
            "GUNICORN_CMD_ARGS": "--log-level=debug",
            "REQUESTS_CA_BUNDLE": str(tmp_path / "authority.pem"),
        }
        with serving(tmp_path / "log", variables) as service:
            written = []
            for name, key in keys.items():
                answer, code = FAILURES[name]
                if answer:
                    answer = answer.replace(b"KEY", key.encode())
                    upstream.answers["stt"] = closes(answer)
                sent = {"X-OpenAI-API-Key": key, "X-Request-ID": key}
                response = converse(service, audio=(f"{key}.wav", wav()), **sent)
                told = [error["code"] for error in response.json()["errors"]]
                assert told == ([code] if code else []), name
                written += [response.text, str(response.headers)]
            inside = {"X-OpenAI-Base-URL": "http://10.0.0.1"}
            refused = converse(service, **{**inside, "X-OpenAI-API-Key": keys["works"]})
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
        urls = (
            f"https://127.0.0.1:{port}/v1",
            f"https://localhost:{port}/v1",
            f"https://2130706433:{port}/v1",
            f"https://[::ffff:127.0.0.1]:{port}/v1",
            upstream.url,
        )
        for url, header in product(urls, BASE_URL_HEADERS):
            response = converse(service, **{header: url})
            assert response.status_code == 400
            assert response.json()["errors"][0]["code"] == "base_url_refused"
        assert upstream.connections == 0
