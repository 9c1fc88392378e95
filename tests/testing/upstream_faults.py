"""Every way in which an upstream can fail a call, as tables: what it does, and what that is."""

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from testing.builders import KEY
from testing.fake_openai import Request, http
from testing.fake_streams import reset

DEADLINE = 1.5
OVERRUN = 15
"""Seconds: the deadline that a slow fault meets, and how much later its answer may be."""

LATE = DEADLINE + OVERRUN
Behaviour = Callable[[socket.socket, Request], bool | None]


@dataclass
class Fault:
    """What the upstream does, what the caller is told, and how many tries that takes."""

    name: str
    behave: Behaviour
    code: str
    tries: int = 1
    seconds: float = LATE


def drip(connection: socket.socket, *parts: bytes) -> None:
    """The first part at once, then the second again and again, slowly."""
    connection.sendall(parts[0])
    with suppress(OSError):
        for _ in range(100):
            time.sleep(0.05)
            connection.sendall(parts[1])


def says(answer: bytes) -> Behaviour:
    """Send exactly these bytes."""
    return lambda connection, request: connection.sendall(answer) or True


def closes(answer: bytes) -> Behaviour:
    """Send exactly these bytes, then close the connection."""
    return lambda connection, request: connection.sendall(answer)


def drips(first: bytes, again: bytes) -> Behaviour:
    return lambda connection, request: drip(connection, first, again)


def stalls(answer: bytes = b"", seconds: float = 5) -> Behaviour:
    """Send these bytes, then nothing."""

    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(answer)
        time.sleep(seconds)

    return behave


def resets(answer: bytes) -> Behaviour:
    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(answer)
        time.sleep(0.05)
        reset(connection)

    return behave


def refusal(status: str, code: str = "", **headers: str) -> bytes:
    """OpenAI's error, which repeats the key as OpenAI does, and worse."""
    message = f"Incorrect API key provided: {KEY[:8]}****{KEY[-4:]} ({KEY})"
    error = {"message": message, "type": "error", "param": None, "code": code}
    return http(json.dumps({"error": error}).encode(), status, **headers)


def never_ends(head: bytes) -> Behaviour:
    """A body without end, as fast as it is taken, whose head is missing its length."""

    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(head + b"Content-Length: 10000000000\r\n\r\n")
        with suppress(OSError):
            for _ in range(10_000):
                connection.sendall(bytes(65_536))

    return behave


def drip_record(connection: socket.socket, request: Request) -> None:
    """A TLS record that trickles, past what encrypts."""
    raw = connection.fileno()
    os.write(raw, b"\x17\x03\x03\x10\x00")
    with suppress(OSError):
        for _ in range(100):
            time.sleep(0.05)
            os.write(raw, b"\x02")


HEADERS = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(40))
ABSURD = "Mon, 01 Jan 99999999999 00:00:00 GMT"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# In time: whatever trickles or stands still ends at the deadline.
SLOW = [
    Fault(name, behave, "deadline_exceeded")
    for name, behave in {
        "no answer": stalls(),
        "half a status line": stalls(b"HTTP/1.1 2"),
        "headers that drip": drips(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        "headers that stop": stalls(b"HTTP/1.1 200 OK\r\nX: y\r\n"),
        "100 Continue without end": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "a body that drips": drips(HEAD, b" "),
        "a body that stops half-way": stalls(HEAD + b"{"),
        "chunks that drip": drips(CHUNKED, b"1\r\n \r\n"),
        "chunks that stop": stalls(CHUNKED + b"5\r\n{"),
        "a record that drips": drip_record,
    }.items()
]
# Broken: cut off, or no HTTP. Worth another try.
BROKEN = [
    Fault(name, behave, "upstream_unavailable", 3)
    for name, behave in {
        "closed without an answer": closes(b""),
        "reset without an answer": resets(b""),
        "cut off amid the headers": closes(b"HTTP/1.1 200 OK\r\nContent-Ty"),
        "cut off amid the body": closes(HEAD + b"{"),
        "reset amid the body": resets(HEAD + b"{"),
        "cut off amid the chunks": closes(CHUNKED + b"ff\r\n{"),
        "a chunk of no size": says(CHUNKED + b"zz\r\n{}\r\n"),
        "not HTTP": closes(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "headers without end": says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200),
        "a header line without end": says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000),
        "interim answers without end": says(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
        "interim answers full of headers": says(
            (b"HTTP/1.1 103 Early Hints\r\n" + HEADERS + b"\r\n") * 3
        ),
        "headers of megabytes": says(b"HTTP/1.1 200 OK\r\n" + HEADERS * 2),
        "a trailer of many lines": says(CHUNKED + b"0\r\n" + b"X: y\r\n" * 10_000),
        "a chunk size without end": says(CHUNKED + b"1" * 100_000),
        "a trailer without end": says(CHUNKED + b"0\r\nX: " + b"y" * 100_000),
    }.items()
]
# Answered, but not usably: not worth another try.
UNUSABLE = [
    Fault("an empty success", says(http(b"")), "upstream_malformed"),
    Fault("204", says(b"HTTP/1.1 204 No Content\r\n\r\n"), "upstream_malformed"),
    Fault("a body without end", never_ends(b"HTTP/1.1 200 OK\r\n"), "upstream_malformed"),
]
REFUSED = [
    Fault("401", says(refusal("401 Unauthorized")), "api_key_rejected"),
    # The second try is what replaces the model.
    Fault("404", says(refusal("404 Not Found", "model_not_found")), "upstream_rejected", 2),
    Fault("307", says(http(b"", "307 Moved", Location="/v1/elsewhere")), "upstream_rejected"),
    # Nobody should read all of its body.
    Fault("302 without end", never_ends(b"HTTP/1.1 302 x\r\nLocation: /\r\n"), "upstream_rejected"),
    Fault("302 to nowhere", says(http(b"", "302 x", Location="http://[::1")), "upstream_rejected"),
    Fault("429, absurd date", says(refusal("429 x", Retry_After=ABSURD)), "rate_limited", 3),
    Fault("429, wait too long", says(refusal("429 x", Retry_After="60")), "rate_limited"),
]
FAULTS = [SLOW[0], *BROKEN, *UNUSABLE, *REFUSED]

HANDSHAKE = b"\x16\x03\x03\x10\x00", b"\x02"
# What is done to a connection before anything is asked over it.
GREETINGS = [
    (lambda connection: False, "upstream_unavailable"),
    (lambda connection: bool(reset(connection)), "upstream_unavailable"),
    (lambda connection: bool(connection.sendall(b"220 mail.example\r\n")), "upstream_unavailable"),
    (lambda connection: bool(time.sleep(2)), "upstream_timeout"),
    (lambda connection: bool(drip(connection, *HANDSHAKE)), "upstream_timeout"),
]
