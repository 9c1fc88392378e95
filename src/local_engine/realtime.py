"""The Realtime API, as far as it takes to have a text read aloud over a WebSocket."""

import base64
import json
import uuid
from typing import Any

from flask import Flask, request
from flask_sock import Sock
from simple_websocket import Server

from local_engine.errors import ApiError
from local_engine.tts import Speaker


def serve(app: Flask, speaker: Speaker) -> None:
    """Give `app` the route: each `response.create` has the words of its input read."""

    @Sock(app).route("/v1/realtime")
    def realtime(socket: Server) -> None:
        def send(kind: str, **fields: object) -> None:
            socket.send(json.dumps({"type": kind, "event_id": "event_local", **fields}))

        def fail(message: str | None, reason: str | None = None) -> None:
            error = {"type": "invalid_request_error", "code": reason, "message": message}
            send("error", error=error)

        if request.args.get("model") != speaker.name:
            return fail(f"The model for this is '{speaker.name}'.", "model_not_found")
        send("session.created", session={"type": "realtime", "model": speaker.name})
        while True:
            try:
                text = words(json.loads(socket.receive()))
                place = {"response_id": f"resp_{uuid.uuid4().hex}", "item_id": "item_local"}
                place |= {"output_index": 0, "content_index": 0}
                for part in speaker.speak(text):
                    delta = base64.b64encode(part.astype("<i2").tobytes()).decode()
                    send("response.output_audio.delta", delta=delta, **place)
                send("response.output_audio_transcript.done", transcript=text, **place)
                done = {"id": place["response_id"], "status": "completed"}
                send("response.done", response=done)
            except (ValueError, TypeError, LookupError):
                fail("Send response.create with an input of messages of input_text.")
            except ApiError as error:
                fail(error.description)


def words(event: Any) -> str:
    """The texts of a `response.create`'s input; raises what a lookup in bad JSON raises."""
    content = [part for item in event["response"]["input"] for part in item["content"]]
    return " ".join(part["text"] for part in content)
