"""An upstream for the page: it streams a reply, and its voice is a tone that can be measured."""

import array
import json
import math
import re
import threading
import time

from testing.fake_openai import Request, Upstream, good, http

TONE_SECONDS = 1.5
SENTENCES = ("Paris is the capital of France, as everyone says. ", "It lies on the river Seine.")


def tone(seconds: float = TONE_SECONDS) -> bytes:
    """A tone of 440 Hz: PCM, 24 kHz, 16 bit, mono."""
    wave = (math.sin(2 * math.pi * 440 * index / 24_000) for index in range(int(24_000 * seconds)))
    return array.array("h", (int(8_000 * sample) for sample in wave)).tobytes()


def event(delta: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": delta}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def write(sentences=SENTENCES, *, reason="stop", pause=0.0):
    """Answers with the sentences, word by word, `pause` seconds after each sentence."""

    def answer(connection, request):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        for sentence in sentences:
            for word in re.findall(r"\S*\s*", sentence):
                connection.sendall(event(word))
            time.sleep(pause)
        connection.sendall(event("", reason) + b"data: [DONE]\n\n")
        return False

    return answer


def speak(seconds: float = TONE_SECONDS):
    """Answers with a tone of that length, whatever the text."""

    def answer(connection, request):
        connection.sendall(http(tone(seconds), Content_Type="audio/pcm"))
        return True

    return answer


def hear(connection, request: Request) -> bool:
    """Answers as the upstream does unless it is told otherwise."""
    connection.sendall(good(request))
    return True


def hold_back(answer, *, first=None, patience=60):
    """The same answer once the event that is returned is set; `first` is sent at once.

    It waits for `patience` seconds at most.
    """
    go = threading.Event()

    def wait(connection, request):
        if first:
            connection.sendall(first)
        go.wait(patience)
        return answer(connection, request)

    return wait, go


def refuse(status: str, message: str = "No."):
    """Answers with an error of this status."""

    def answer(connection, request):
        body = json.dumps({"error": {"message": message, "type": "t", "code": None}}).encode()
        connection.sendall(http(body, status, Content_Type="application/json"))
        return True

    return answer


def prepare(upstream: Upstream, seconds: float = TONE_SECONDS) -> Upstream:
    """Let it stream; without the pause both sentences would wait at once, and be one segment."""
    upstream.answers.update(text=write(pause=0.3), tts=speak(seconds))
    return upstream


def told(upstream: Upstream) -> list[list[tuple[str, str]]]:
    """What the chat model was told, call by call: roles and contents, without the first."""
    return [
        [(turn["role"], turn["content"]) for turn in json.loads(request.body)["messages"][1:]]
        for request in upstream.requests
        if request.stage == "text"
    ]
