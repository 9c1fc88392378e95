"""The routes of the OpenAI API that the engine serves: gather, call, dump."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException

from local_engine import errors, sound
from local_engine.chat import Completion, Replier
from local_engine.errors import ApiError
from local_engine.schemas import ChatSchema, SpeechSchema, TranscriptionSchema
from local_engine.stt import Transcriber
from local_engine.tts import Speaker

MAX_UPLOAD = 25 * 2**20 + 2**16  # bytes: the upstream's 25 MB file, and the form around it

T = TypeVar("T")


def create_app(transcriber: Transcriber, replier: Replier, speaker: Speaker) -> Flask:
    """The app over three engines, each of them loaded."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_UPLOAD
    app.register_error_handler(HTTPException, errors.answer)
    models = {
        name: {"id": name, "object": "model", "created": int(time.time()), "owned_by": "local"}
        for name in (transcriber.name, replier.name, speaker.name)
    }

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()
        if "Authorization" not in request.headers:
            raise ApiError(401, "There is no API key: send 'Authorization: Bearer' and any word.")

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["x-request-id"] = f"req_{uuid.uuid4().hex}"
        line = f"{request.method} {quote(request.path)} {response.status_code}"
        begun = g.begun

        def log() -> None:
            print(f"{line} {1000 * (time.perf_counter() - begun):.0f} ms", flush=True)

        response.call_on_close(log)
        return response

    @app.post("/v1/audio/transcriptions")
    def transcribe() -> ResponseReturnValue:
        form = request.form.to_dict() | request.files.to_dict()
        fields = gather(TranscriptionSchema(), form, transcriber.name)
        verbose = fields["response_format"] == "verbose_json"
        heard = transcriber.transcribe(
            fields["file"].read(),
            language=fields["language"],
            prompt=fields["prompt"],
            temperature=fields["temperature"],
            timestamps=verbose,
        )
        if fields["response_format"] == "text":
            return Response(f"{heard.text}\n", mimetype="text/plain")
        usage = {"type": "duration", "seconds": round(heard.duration)}
        if verbose:
            return {"task": "transcribe", **heard._asdict(), "usage": usage}
        return {"text": heard.text, "usage": usage}

    @app.post("/v1/chat/completions")
    def complete() -> ResponseReturnValue:
        fields = gather(ChatSchema(), json_body(), replier.name)
        if fields["stream"]:
            return Response(events(begun(replier.stream(fields))), mimetype="text/event-stream")
        return replier.reply(fields)

    @app.post("/v1/audio/speech")
    def speak() -> ResponseReturnValue:
        fields = gather(SpeechSchema(), json_body(), speaker.name)
        form = sound.FORMATS[fields["response_format"]]
        speech = begun(speaker.speak(fields["input"], fields["speed"]))
        return Response(sound.encode(speech, speaker.rate, form), mimetype=form.mimetype)

    @app.get("/v1/models")
    def list_models() -> ResponseReturnValue:
        return {"object": "list", "data": list(models.values())}

    @app.get("/v1/models/<name>")
    def retrieve_model(name: str) -> ResponseReturnValue:
        if name not in models:
            raise unknown_model(name)
        return models[name]

    return app


def json_body() -> dict[str, Any]:
    """The request's JSON object; raises ApiError for anything else."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "The body of the request must be a JSON object.")
    return body


def gather(schema: Schema, sent: dict[str, Any], model: str) -> dict[str, Any]:
    """The request's fields; raises ApiError for a bad one, and for every model but `model`."""
    try:
        fields: dict[str, Any] = schema.load(sent)
    except ValidationError as error:
        raise errors.refused_field(error) from error
    if fields["model"] != model:
        raise unknown_model(fields["model"])
    return fields


def unknown_model(name: str) -> ApiError:
    message = f"The model '{name}' does not exist here, or is not for this."
    return ApiError(404, message, "model", "model_not_found")


def begun(parts: Iterator[T]) -> Iterator[T]:
    """The same parts, the first one already made: what fails at once gets its own status."""
    return chain([next(parts)], parts)


def events(chunks: Iterator[Completion]) -> Iterator[str]:
    """Server-sent events, as the upstream ends them: with [DONE], or with an error."""
    try:
        for chunk in chunks:
            yield f"data: {json.dumps(chunk)}\n\n"
    except ApiError as error:
        yield f"data: {errors.envelope(error)}\n\n"
    yield "data: [DONE]\n\n"
