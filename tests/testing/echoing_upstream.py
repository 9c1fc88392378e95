"""An upstream that answers with what it was sent, and what a caller reads of that."""

import base64
import json
import re
import socket
from urllib.parse import unquote

import requests

from testing import fake_openai as fake
from testing.fake_streams import streams_chat
from testing.stream_readers import events_of, heard

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


def told_in_json(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech."""
    answer = response.json()
    speech = base64.b64decode(answer["audio"]).removeprefix(MP3).decode()
    return answer["transcript"], answer["text_response"], speech


def told_in_a_stream(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech; each segment is one call, which echoes the key at its end."""
    stream = heard(events_of([response.content]))
    [speech] = stream.sounds
    return stream.transcript, stream.text, speech.removeprefix(MP3).decode()


def told_in_headers(response: requests.Response) -> tuple[str, str, str]:
    """Transcript, reply and speech."""
    texts = [unquote(response.headers[name]) for name in ("X-Transcript", "X-Text-Response")]
    return texts[0], texts[1], response.text.removeprefix(MP3.decode())


TOLD = {
    "application/json": told_in_json,
    "text/event-stream": told_in_a_stream,
    "audio/mpeg": told_in_headers,
}
