"""An upstream that answers with what it was sent, and what a caller reads of that."""

import json
import re
import socket

import requests

from testing import fake_openai as fake
from testing.fake_streams import streams_chat
from testing.representations import told_over_a_socket

MP3 = b"ID3"
"""What its speech begins with, as mp3 may."""


def echo(connection: socket.socket, request: fake.Request) -> bool:
    """Answer with what was sent, under a cookie of its own for each connection."""
    cookie = {"Set_Cookie": f"session={request.connection}; Path=/", "x_request_id": "req_echo"}
    key = request.headers.get("authorization", "none").removeprefix("Bearer ")
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
        answer = MP3 + json.loads(request.body)["input"].encode() + key.encode()
    connection.sendall(fake.http(answer, **cookie))
    return True


def texts_of(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech."""
    said = told_over_a_socket(response)
    return said.transcript, said.reply, said.sound.removeprefix(MP3).decode()


TOLD = dict.fromkeys(("application/json", "text/event-stream", "audio/mpeg"), texts_of)
