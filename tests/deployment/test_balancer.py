"""Several instances behind Debian's HAProxy, run from deploy/haproxy.cfg."""

import csv
import socket
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import requests
from testing import fake_openai as fake
from testing.builders import KEY, ROOT, wav
from testing.fake_streams import CHATS, DONE, ROLE, STOP, deltas, streams_chat, streams_speech
from testing.gunicorn_process import free_port, serving

pytestmark = pytest.mark.system
NAMES = ("one", "two")
CALLERS = 8
WAIT_SECONDS = 90


@dataclass
class Balancer:
    """A running HAProxy: its admin socket, and its port."""

    admin: Path
    port: int

    def say(self, command):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.admin))
            admin.sendall(f"{command}\n".encode())
            return admin.makefile().read()

    def until(self, name, field, value):
        """Wait until the statistics of the instance say so."""

        def says_so():
            try:
                rows = csv.DictReader(self.say("show stat").lstrip("# ").splitlines())
            except OSError:
                return False
            return [row[field] for row in rows if row["svname"] == name] == [value]

        assert fake.soon(says_so, WAIT_SECONDS), f"{name}: {field} is not {value}"


@contextmanager
def balancing(folder, ports, changes):
    """HAProxy by its file, but for where it listens, where the instances are, and `changes`."""
    balancer = Balancer(folder / "admin", free_port())
    text, config = (ROOT / "deploy" / "haproxy.cfg").read_text(), folder / "haproxy.cfg"
    replacements = {
        "stats socket /run/haproxy/admin.sock": f"stats socket {balancer.admin}",
        "bind :8080": f"bind 127.0.0.1:{balancer.port}",
        "10.0.0.1:8000": f"127.0.0.1:{ports['one']}",
        "10.0.0.2:8000": f"127.0.0.1:{ports['two']}",
        **changes,
    }
    for old, new in replacements.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    config.write_text(text)
    process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", config])
    try:
        for name in NAMES:
            balancer.until(name, "status", "UP")
        yield balancer
    finally:
        process.terminate()
        process.wait(10)


def conversation(port):
    url, headers = f"http://127.0.0.1:{port}/api/conversation/", {"X-OpenAI-API-Key": KEY}
    return {"url": url, "method": "POST", "headers": headers, "files": {"audio": wav(3)}}


@contextmanager
def steady_load(port):
    """Callers that converse one time after the other; what became of each is counted."""
    outcomes, over = Counter(), threading.Event()

    def caller():
        with requests.Session() as session:
            while not over.is_set():
                try:
                    answer = session.request(**conversation(port), timeout=30)
                    outcomes[answer.status_code] += 1
                except requests.RequestException as error:
                    outcomes[type(error).__name__] += 1

    with ThreadPoolExecutor(CALLERS) as pool:
        for _ in range(CALLERS):
            pool.submit(caller)
        try:
            yield outcomes
        finally:
            over.set()


def unhurried(connection, request):
    """Long enough that conversations are always under way."""
    time.sleep(0.1)
    connection.sendall(fake.good(request))
    return True


def test_a_deploy_loses_nothing(tmp_path):
    """Each instance is drained and restarted three times under load, and no request fails."""
    ports = {name: free_port() for name in NAMES}
    with fake.running() as upstream:
        upstream.answers = dict.fromkeys(("stt", "text", "tts"), unhurried)
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
        instances = {name: ExitStack() for name in NAMES}

        def start(name):
            instance = serving(tmp_path / name, variables, port=ports[name])
            instances[name].enter_context(instance)

        with instances["one"], instances["two"]:
            for name in NAMES:
                start(name)
            with balancing(tmp_path, ports, {}) as balancer:
                with steady_load(balancer.port) as outcomes:
                    for name in NAMES * 3:
                        balancer.say(f"set server parley/{name} state drain")
                        balancer.until(name, "scur", "0")
                        instances[name].close()
                        start(name)
                        balancer.say(f"set server parley/{name} state ready")
                        balancer.until(name, "status", "UP")
                        time.sleep(1)
                assert set(outcomes) == {200}
                assert outcomes[200] > 100


@contextmanager
def balanced_streams(folder, chat, changes):
    """One service that streams what `chat` writes, behind the balancer; gives how to open one."""
    ports = dict.fromkeys(NAMES, free_port())
    with fake.running() as upstream, httpx2.Client(timeout=WAIT_SECONDS) as client:
        upstream.answers = {"text": chat, "tts": streams_speech()}
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "PARLEY_DEADLINE": "60"}
        service = serving(folder / "log", variables, port=ports["one"])
        with service, balancing(folder, ports, changes) as balancer:
            yield lambda: client.sse(**conversation(balancer.port))


def test_a_stream_outlasts_a_silence_longer_than_the_balancers_patience(tmp_path, monkeypatch):
    """With either side; here both are shorter than in the file, and longer than a heartbeat."""
    patience = {"client 30s": "client 10s", "server 35s": "server 12s"}
    row = [ROLE, *deltas("One. "), 15.0, *deltas("Two. "), 11.0, *deltas("Three."), STOP, DONE]
    monkeypatch.setitem(CHATS, "two pauses", lambda text: row)
    chat = streams_chat("two pauses")
    with balanced_streams(tmp_path, chat, patience) as stream, stream() as source:
        came = [(event, time.monotonic()) for event in source]
    (first, then), (last, at_last) = came[0], came[-1]
    assert (first.event, last.event) == ("transcript", "done")
    assert at_last - then > 20
    assert last.json()["text_response"] == "One. Two. Three."
    assert last.json()["success"]


def test_the_service_hears_through_the_balancer_that_a_caller_has_left(tmp_path):
    """The upstream's work ends sooner than the first heartbeat could fail."""
    chat = streams_chat("stalls")
    with balanced_streams(tmp_path, chat, {}) as stream:
        with stream() as source:
            assert next(iter(source)).event == "transcript"
        assert chat.left.wait(4)
