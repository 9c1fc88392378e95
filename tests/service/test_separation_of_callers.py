"""Conversations share connections and nothing else; a caller's key shows up nowhere."""

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from testing import fake_openai as fake
from testing.builders import wav
from testing.fake_openai import http
from testing.fake_streams import streams_chat
from testing.gunicorn_process import serving
from testing.recording_hosts import secret, shows
from testing.representations import JSON, STREAM, ask
from testing.served_conversations import converse
from testing.upstream_faults import closes

CONVERSATIONS, CLIENTS = 120, 40
STAGES = {"stt": "STT", "text": "Text", "tts": "TTS"}


def echo(connection, request):
    """Answer with what was sent, under a cookie of its own for each connection."""
    cookie = {"Set_Cookie": f"session={request.connection}; Path=/", "x_request_id": "req_echo"}
    seen = f"{request.headers.get('authorization')} {request.headers.get('cookie')}"
    if request.stage == "stt":
        marker = re.search(rb"marker:(\w+)", request.body)[1].decode()
        answer = json.dumps({"text": f"{marker} {seen}"}).encode()
    elif request.stage == "text":
        asked = json.loads(request.body)
        reply = f"{asked['messages'][1]['content']} {seen}"
        if asked.get("stream"):
            return streams_chat(reply=lambda body: reply)(connection, request)
        answer = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
    else:
        answer = b"ID3" + f"{json.loads(request.body)['input']} {seen}".encode()
    return connection.sendall(http(answer, **cookie)) or True


def test_no_conversation_sees_another(serve):
    """Many at once, with keys of their own on hosts of their choice, which answer what they see."""
    with ExitStack() as opened:
        hosts = [opened.enter_context(fake.running()) for _ in STAGES]
        for upstream in hosts:
            upstream.answers = dict.fromkeys(STAGES, echo)
        chosen = {"PARLEY_OPENAI_BASE_URL": hosts[0].url, "PARLEY_ALLOWED_BASE_URLS": "*"}
        service = serve(WEB_CONCURRENCY="2", **chosen)

        def talk(number):
            draw = random.Random(number)
            main = f"sk-{draw.getrandbits(128):032x}"
            headers, asked, keys, share = {"X-OpenAI-API-Key": main}, {}, {}, 0.7 * bool(number % 4)
            for stage, name in STAGES.items():
                asked[stage], keys[stage] = hosts[0], main
                if draw.random() < share:
                    asked[stage], keys[stage] = draw.choice(hosts), None
                    headers[f"X-{name}-Base-URL"] = asked[stage].url
                if draw.random() < share:
                    keys[stage] = headers[f"X-{name}-API-Key"] = f"sk-{draw.getrandbits(128):032x}"
            seen = {stage: f"{key and f'Bearer {key}'} None" for stage, key in keys.items()}
            audio = wav() + f"marker:m{number:04d}".encode()
            told = ask(service.url, (JSON, STREAM, "audio/mpeg")[number % 3], headers, audio)
            assert told.status == 200
            assert told.transcript == f"m{number:04d} {seen['stt']}"
            assert told.reply == f"{told.transcript} {seen['text']}"
            assert told.sound.decode() == f"ID3{told.reply} {seen['tts']}"
            return asked

        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = list(pool.map(talk, range(CONVERSATIONS)))
        for host in hosts:
            for stage in STAGES:
                calls = [request for request in host.requests if request.stage == stage]
                assert len(calls) == sum(each[stage] is host for each in asked) > 0
            assert host.connections < len(host.requests)  # Callers did share connections.


DOWN = "upstream_unavailable"
# A way to fail, what does, and its code: each is tried with a key of its own.
FAILURES = {
    "works": (None, None),
    "refused": (http(b'{"error": {"message": "KEY is wrong"}}', "401 No"), "api_key_rejected"),
    "redirected": (http(b"", "302 Found", Location="http://127.0.0.1:1/KEY"), "upstream_rejected"),
    "malformed": (http(b"KEY"), "upstream_malformed"),
    "identified": (http(b"{}", "500 Oops", x_request_id="KEY"), DOWN),
    "cut off": (b"HTTP/1.1 200 OK\r\nX-KEY: KEY\r\nContent-Length: 9\r\n\r\n", DOWN),
    "not HTTP": (b"KEY\r\n", DOWN),
}


def test_a_key_shows_up_nowhere(tmp_path, authority):
    """However a call fails; nor does a host of the service's own network get one by a header."""
    keys = {name: secret() for name in FAILURES}
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
                    upstream.answers["stt"] = closes(answer.replace(b"KEY", key.encode()))
                sent = {"X-OpenAI-API-Key": key, "X-Request-ID": key}
                response = converse(service, audio=(f"{key}.wav", wav()), **sent)
                told = [error["code"] for error in response.json()["errors"]]
                assert told == ([code] if code else []), name
                written += [response.text, str(response.headers)]
            opened = upstream.connections
            for name in ("OpenAI", *STAGES.values()):
                inside = {f"X-{name}-Base-URL": upstream.url, "X-OpenAI-API-Key": keys["works"]}
                written.append(converse(service, **inside).text)
                assert '"base_url_refused"' in written[-1]
            assert upstream.connections == opened
            written.append(Path(f"/proc/{service.process.pid}/cmdline").read_text())
        written.append(service.log)
    for text in written:
        assert not any(shows(text.encode(), key) for key in keys.values()), text
