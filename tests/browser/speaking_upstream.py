"""An upstream for the page: it streams a reply, and its voice is a tone that can be measured."""

import array
import json
import math
import re
import select
import threading
import time
from functools import cache

from testing.builders import ROOT
from testing.fake_openai import Request, Upstream, good, http, soon

QUESTION = ROOT / "examples" / "question.wav"
TONE_SECONDS = 1.5
SENTENCES = ("Paris is the capital of France, as everyone says. ", "It lies on the river Seine.")
REPLY = "".join(SENTENCES)


@cache
def tone(seconds: float = TONE_SECONDS) -> bytes:
    """A tone of 440 Hz: PCM, 24 kHz, 16 bit, mono."""
    wave = (math.sin(2 * math.pi * 440 * index / 24_000) for index in range(int(24_000 * seconds)))
    return array.array("h", (int(8_000 * sample) for sample in wave)).tobytes()


def event(delta: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": delta}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def write(sentences=SENTENCES, *, reason: str | None = "stop", pause=0.0):
    """Answers with the sentences, word by word; after each it pauses, or does what `pause` does.

    Without a reason it breaks off.
    """
    wait = pause if callable(pause) else lambda _: time.sleep(pause)

    def answer(connection, request):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        for sentence in sentences:
            for word in re.findall(r"\S*\s*", sentence):
                connection.sendall(event(word))
            wait(sentence)
        if reason:
            connection.sendall(event("", reason) + b"data: [DONE]\n\n")
        return False

    return answer


def speak(seconds: float = TONE_SECONDS, *, after: float = 0):
    """Answers with a tone of that length, whatever the text, after so many seconds."""

    def answer(connection, request):
        time.sleep(after)
        connection.sendall(http(tone(seconds), Content_Type="audio/pcm"))
        return True

    return answer


def speak_on(connection, request: Request) -> bool:
    """Answers with a minute's tone, of which each second takes half a second to make."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\nConnection: close\r\n\r\n")
    for _ in range(60):
        connection.sendall(tone(1))
        time.sleep(0.5)
    return False


def break_off(connection, request: Request) -> bool:
    """Speaks for less long than it says."""
    connection.sendall(http(tone(0.4), Content_Type="audio/pcm")[:-2])
    return False


def hear(connection, request: Request) -> bool:
    """Answers as the upstream does unless it is told otherwise."""
    connection.sendall(good(request))
    return True


def hear_nothing(connection, request: Request) -> bool:
    connection.sendall(http(b'{"text": ""}'))
    return True


def hold_back(answer, *, first=None):
    """The same answer once the event that is returned is set; `first` is sent at once.

    Where the caller leaves there is none.
    """
    go = threading.Event()

    def wait(connection, request):
        if first:
            connection.sendall(first)
        while not go.wait(0.05):
            if select.select([connection], [], [], 0)[0]:
                return False
        return answer(connection, request)

    return wait, go


def once(first, later):
    """The first answer for one call, and the other for all that follow."""
    left = [first]

    def answer(connection, request):
        return (left.pop() if left else later)(connection, request)

    return answer


def refuse(status: str, message: str = "No."):
    def answer(connection, request):
        body = json.dumps({"error": {"message": message, "type": "t", "code": None}}).encode()
        connection.sendall(http(body, status, Content_Type="application/json"))
        return True

    return answer


def prepare(upstream: Upstream, seconds: float = TONE_SECONDS, *, pause: float = 0) -> Upstream:
    """Let it stream; both sentences would be one segment if speech were not asked for the first.

    `pause` is how many seconds it then takes until the reply ends.
    """

    def spoken():
        return sum(request.stage == "tts" for request in upstream.requests)

    def answer(connection, request):
        before = spoken()

        def wait(sentence):
            if sentence == SENTENCES[1]:
                soon(lambda: spoken() > before)
                time.sleep(pause)

        return write(pause=wait)(connection, request)

    upstream.answers.update(text=answer, tts=speak(seconds))
    return upstream


def told(upstream: Upstream) -> list[list[tuple[str, str]]]:
    """What the chat model was told, call by call: roles and contents, without the first."""
    return [
        [(turn["role"], turn["content"]) for turn in json.loads(request.body)["messages"][1:]]
        for request in upstream.requests
        if request.stage == "text"
    ]
