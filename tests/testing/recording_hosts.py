"""Three upstreams on three ports that record every byte, and what went where in a conversation."""

import random
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from testing import fake_openai as fake
from testing import fake_realtime as realtime
from testing.fake_streams import streams_chat, streams_speech

STAGES = ("stt", "text", "tts")
PORTS = 3
RUN = 6
"""How many characters in a row show a key."""

chance = random.Random(14)


def secret() -> str:
    """A key of its own, in which nothing of another stands, nor of the boundary of a form."""
    return f"sk-{''.join(chance.choices('GHJKLMNPQRSTUVWXYZ', k=24))}"


@dataclass
class Hosts:
    """The upstreams, and how they answer from now on."""

    upstreams: list[fake.Upstream]
    fault: str = "none"
    """`500 first`: each call's first try fails. `redirect STAGE`: that call is answered so."""
    tries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    speak: fake.Answer = field(default_factory=realtime.Readings)

    def url(self, port: int, path: str) -> str:
        """A base URL on one of the ports, which differs from every other by its path."""
        return self.upstreams[port].url.replace("/v1", f"/{path}/v1")

    def begin(self, fault: str) -> None:
        """Forget what was recorded; answer the next conversation so."""
        self.fault, self.tries = fault, defaultdict(int)
        for upstream in self.upstreams:
            upstream.requests.clear()

    def recorded(self) -> dict[str, list[tuple[str, fake.Request]]]:
        """By stage, what arrived, and at which base URL."""
        arrived = defaultdict(list)
        for upstream in self.upstreams:
            for request in upstream.requests:
                origin = upstream.url.removesuffix("/v1")
                base = request.path.partition("/v1/")[0]
                arrived[request.stage].append((f"{origin}{base}/v1", request))
        return arrived

    def answer(self, connection: socket.socket, request: fake.Request) -> bool | None:
        self.tries[request.stage] += 1
        if self.fault == "500 first" and self.tries[request.stage] == 1:
            connection.sendall(fake.http(b"{}", "500 Oops"))
            return True
        if self.fault == f"redirect {request.stage}":
            location = f"{self.url(0, 'elsewhere')}/{request.path.rpartition('/v1/')[2]}"
            connection.sendall(fake.http(b"", "307 Elsewhere", Location=location))
            return True
        if request.stage == "stt":
            connection.sendall(fake.good(request))
            return True
        if request.stage == "text":
            return streams_chat()(connection, request)
        if "/realtime" in request.path:
            return self.speak(connection, request)
        return streams_speech()(connection, request)


@contextmanager
def running() -> Iterator[Hosts]:
    with ExitStack() as opened:
        hosts = Hosts([opened.enter_context(fake.running()) for _ in range(PORTS)])
        for upstream in hosts.upstreams:
            upstream.answers = dict.fromkeys(STAGES, hosts.answer)
        yield hosts


def shows(text: bytes, key: str) -> bool:
    """Whether anything telling of a key stands in bytes."""
    kept = key.removeprefix("sk-")
    runs = (kept[at : at + RUN] for at in range(len(kept) - RUN + 1))
    return any(run.encode() in text for run in runs)
