"""The routes of the upstream's API that the engine serves: gather, call, dump."""

import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, ValidationError
from werkzeug.exceptions import HTTPException

from local_engine import errors, realtime, sound
from local_engine.chat import Replier
from local_engine.errors import ApiError
from local_engine.schemas import ChatSchema, SpeechSchema, TranscriptionSchema
from local_engine.stt import Transcriber
from local_engine.tts import Speaker

MAX_REQUEST = 25 * 2**20 + 2**16  # bytes: the upstream's 25 MB file, and the form around it


def create_app(
    transcriber: Transcriber, replier: Replier, speaker: Speaker, log: Callable[[str], None]
) -> Flask:
    """The app over three loaded engines; `log` takes a line for each request that was answered."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST
    app.register_error_handler(HTTPException, errors.answer)
    models = {
        name: {"id": name, "object": "model", "created": int(time.time()), "owned_by": "local"}
        for name in (transcriber.name, replier.name, speaker.name)
    }

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["x-request-id"] = f"req_{uuid.uuid4().hex}"
        line, begun = f"{request.method} {quote(request.path)} {response.status_code}", g.begun
        response.call_on_close(lambda: log(f"{line} {1e3 * (time.perf_counter() - begun):.0f} ms"))
        return response

    @app.post("/v1/audio/transcriptions")
    def transcribe() -> ResponseReturnValue:
        sent = request.form.to_dict() | {"file": request.files.get("file")}
        sent.setdefault("language", sent.get("languages[]"))  # gpt-transcribe's name for it
        fields = gather(TranscriptionSchema(), sent, transcriber.name)
        audio, form = fields.pop("file").read(), fields.pop("response_format")
        heard = transcriber.transcribe(audio, **fields, timed=form == "verbose_json")
        if form == "text":
            return Response(heard["text"] + "\n", mimetype="text/plain")
        return heard if form == "verbose_json" else {k: heard[k] for k in ("text", "usage")}

    @app.post("/v1/chat/completions")
    def complete() -> ResponseReturnValue:
        answer = replier.reply(gather(ChatSchema(), json_body(), replier.name))
        return Response(answer, mimetype=answer.headers.get_content_type())

    @app.post("/v1/audio/speech")
    def speak() -> ResponseReturnValue:
        fields = gather(SpeechSchema(), json_body(), speaker.name)
        form = sound.FORMATS[fields["response_format"]]
        speech = speaker.speak(fields["input"], fields["speed"])
        return Response(sound.encode(speech, speaker.rate, form), mimetype=form.mimetype)

    @app.get("/v1/models")
    def list_models() -> ResponseReturnValue:
        return {"object": "list", "data": list(models.values())}

    @app.get("/v1/models/<name>")
    def retrieve_model(name: str) -> ResponseReturnValue:
        if name not in models:
            raise ApiError(404, f"There is no model '{name}' here.", "model", "model_not_found")
        return models[name]

    realtime.serve(app, speaker)
    return app


def json_body() -> dict[str, Any]:
    """The request's JSON object; raises ApiError for anything else."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "The body of the request must be a JSON object.", None)
    return body


def gather(schema: Schema, sent: dict[str, Any], model: str) -> dict[str, Any]:
    """What `schema` reads from what was sent; raises ApiError for a bad field or another model."""
    try:
        present = {name: value for name, value in sent.items() if value is not None}
        fields: dict[str, Any] = schema.load(present, unknown=EXCLUDE)
    except ValidationError as error:
        param, found = next(iter(error.messages_dict.items()))
        problem = found[0] if isinstance(found, list) else found
        raise ApiError(400, f"Invalid '{param}': {problem}", param) from error
    if fields.pop("model") != model:
        raise ApiError(404, f"The model for this is '{model}'.", "model", "model_not_found")
    return fields
