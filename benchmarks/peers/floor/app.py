"""The floor: the chain with nothing between it and the sockets but WSGI and http.client.

It trusts its caller and its upstream in everything: no limits, no checks, no retries.
"""

import base64
import http.client
import json
import os
import threading
from urllib.parse import urlsplit

UPSTREAM = urlsplit(os.environ["OPENAI_BASE_URL"])
CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
kept = threading.local()


def call(path, body, kind, key):
    """The body of the upstream's answer, over this thread's own connection."""
    if not hasattr(kept, "connection"):
        kept.connection = CONNECTIONS[UPSTREAM.scheme](UPSTREAM.netloc)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    kept.connection.request("POST", f"{UPSTREAM.path}{path}", body, headers)
    return kept.connection.getresponse().read()


def ask(path, body, key):
    """The body of the answer to a JSON body."""
    return call(path, json.dumps(body).encode(), "application/json", key)


def app(environ, start_response):
    """Transcribe, reply, speak; the form goes upstream with its `audio` renamed to `file`."""
    key = environ["HTTP_X_OPENAI_API_KEY"]
    boundary = environ["CONTENT_TYPE"].partition("boundary=")[2]
    form = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    model = f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    form = model.encode() + form.replace(b'name="audio"', b'name="file"', 1)
    heard = json.loads(call("/audio/transcriptions", form, environ["CONTENT_TYPE"], key))["text"]
    message = {"role": "user", "content": heard}
    reply = ask("/chat/completions", {"model": "gpt-4o", "messages": [message]}, key)
    text = json.loads(reply)["choices"][0]["message"]["content"]
    speech = ask("/audio/speech", {"model": "tts-1", "voice": "alloy", "input": text}, key)
    audio = base64.b64encode(speech).decode()
    answer = {"transcript": heard, "text_response": text, "audio": audio}
    body = json.dumps(answer).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
