"""Conversations with the service as it is served, and what its log says of them."""

import re

import requests

from testing import fake_openai as fake
from testing.builders import KEY, wav

HEADERS = {"X-OpenAI-API-Key": KEY}


def converse(service, timeout=60, audio=None, fields=None, stream=False, **headers):
    """One conversation, over a connection of its own; `stream`: its body is not read yet."""
    return requests.post(
        service.conversation_url,
        headers={**HEADERS, **headers},
        files={"audio": audio or wav()},
        data=fields,
        stream=stream,
        timeout=timeout,
    )


def fields_of(line):
    """The fields of a line of the log."""
    return dict(re.findall(r'(\w+)=("[^"]*"|\S*)', line))


def lines(service, count):
    """The conversations that the log tells of, each as its fields; it soon has so many."""
    assert fake.soon(lambda: service.log.count("total_ms=") >= count)
    return [fields_of(line) for line in service.log.splitlines() if "total_ms=" in line]


def held(upstream, gate, seconds=60):
    """Let the upstream's first stage wait for the gate."""

    def answer(connection, request):
        gate.wait(seconds)
        connection.sendall(fake.good(request))
        return True

    upstream.answers["stt"] = answer
