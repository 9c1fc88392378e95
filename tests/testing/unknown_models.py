"""How hosts say that they do not have a model, and what sounds like it."""

from testing import fake_realtime as realtime
from testing.fake_openai import good
from testing.upstream_faults import Behaviour

MODELS = {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}
INVALID = "Invalid model name passed in model={}. Call `/v1/models` to view available models."
DECOMMISSIONED = "The model `{}` has been decommissioned and is no longer supported."
UNKNOWN = [
    (404, {"object": "error", "message": "The model `{}` does not exist.", "code": 404}),
    (404, {"error": {"message": "No endpoints found for {}.", "code": 404}}),
    (404, {"detail": "Model '{}' is not installed locally."}),
    (404, {"error": {"message": 'model "{}" not found, try pulling it first', "code": None}}),
    (404, {"error": {"message": "{}", "code": "not_found"}}),
    (404, {"error": {"message": "{}: no such model"}}),
    (404, {"error": "{}"}),
    (404, [{"error": {"code": 404, "message": "models/{} is not found for API version v1main"}}]),
    (400, {"error": {"message": f"/chat/completions: {INVALID}", "code": "400"}}),
    (400, {"detail": {"error": "Invalid model name passed in model={}"}}),
    (400, {"error": "Model '{}' is not available"}),
    (400, {"message": "Unknown model: {}"}),
    (400, {"error": {"message": "{} is not a valid model ID", "code": 400}}),
    (400, {"detail": {"error": "invalid_model", "message": "Unsupported model: {}"}}),
    (400, {"detail": "Model not found: {}"}),
    (400, {"detail": "The requested model {} does not exist here."}),
    (400, {"error": {"message": DECOMMISSIONED}}),
    (400, {"error": {"message": "The model `{}` is gone.", "code": "model_decommissioned"}}),
    (400, {"error": {"message": "Unable to access model {}.", "code": "model_not_available"}}),
    (400, {"error": {"message": "Try {}", "type": "invalid_model"}}),
    (400, {"error": {"message": "No.", "code": "MODEL_NOT_FOUND"}}),
    (400, {"detail": "[address=0.0.0.0:51672, pid=57224] Model not found, uid: {}"}),
    (400, {"error": {"message": 'Failed to load model "{}". Error: Model does not exist.'}}),
    (400, {"error": "Unknown model. {} is none of a, b"}),
    (400, {"error": "Model “{}” isn\u2019t available"}),
    (400, {"error": "The model {} could not be found"}),
    (400, {"error": "Model {} has not been found"}),
    *((400, {"error": f"Model {{}} is not {how}"}) for how in ("loaded", "deployed", "registered")),
    (400, {"error": "{} is not one of the available models"}),
    (400, {"error": "Unknown model_id {}"}),
    (400, {"error": "Failed to find model {}"}),
    (400, {"error": "not support this model {}"}),
    (400, {"error": "No available channel for model {}"}),
    (400, {"error": "模型 {} 不存在"}),
    (400, {"error": "モデル {} が見つかりません"}),
    (400, {"error": "There is no model {}."}),
    (400, {"error": "Invalid value for 'model': {}"}),
    (400, {"error": {"message": "No.", "metadata": {"raw": "Unrecognized model: {}"}}}),
    (400, {"message": "No.", "metadata": {"raw": '{"error": {"code": "model_not_found"}}'}}),
    (400, {"error": "400 Bad Request", "details": {"error": {"code": "model_not_found"}}}),
    (400, {"error": {"code": "unavailable_model", "message": "Unavailable model: {}"}}),
    (400, {"error": {"message": "model {} is not accessible via the /chat/completions endpoint"}}),
    (410, {"status": 410, "detail": "The model '{}' has reached its end of life."}),
    (404, {"error": {"code": "DeploymentNotFound", "message": "The deployment does not exist."}}),
    (403, {"error": {"message": "No access to {}", "code": "model_not_found"}}),
    (503, {"error": {"message": "No channel for model {}", "code": "model_not_found"}}),
    (200, {"error": {"message": "No channel", "code": "model_not_found", "status": 503}}),
    (200, {"error": {"message": "The model {} does not exist", "code": 404}}),
    (200, {"error": {"message": "No.", "code": "model_not_found"}}),
]
REPLACED = {
    "stt": lambda connection, request: connection.sendall(good(request)) or True,
    "tts": realtime.speaks,
}


def knows_no_model(upstream, stage: str, refusal: Behaviour, name: str = "") -> list[object]:
    """Let a stage refuse a model so, or its default one, and answer well; the refusals so far."""
    name, well, refused = name or MODELS[stage], upstream.answers.get(stage), []
    named = [f'"{name}"'.encode(), f"\r\n\r\n{name}\r\n".encode()]

    def behave(connection, request):
        if any(part in request.body for part in named) or request.path.endswith(f"model={name}"):
            refused.append(request)
            return refusal(connection, request)
        if "realtime" in request.path or not well:
            return REPLACED[stage](connection, request)
        return well(connection, request)

    upstream.answers[stage] = behave
    return refused


KNOWN = [
    (400, {"detail": "Voice 'alloy' is not available for model {}"}),
    (400, {"detail": "{}: voice 'alloy' not found"}),
    (400, {"detail": "model {}: invalid voice"}),
    (400, {"detail": "No channel for model parameter 'speed' of {}"}),
    (400, {"detail": "Unsupported model parameter 'speed' for {}"}),
    (400, {"detail": "Temperature is not supported with this model. Ask {} without it."}),
    (400, {"error": {"message": "The model `{}` takes no audio."}}),
    (400, {"error": {"message": "{} is overloaded.", "code": "model_not_ready"}}),
    (400, {"error": {"message": "Which?", "code": "model_not_available"}}),
    (400, {"error": {"message": "Unknown parameter: 'stream' with {}"}}),
    (400, {"error": {"message": "The file was not found."}}),
    (400, {"error": {"message": "{}-mini does not exist."}}),
    (400, {"error": {"message": "Voice model not found."}}),
    (400, {"error": {"message": "The model is not available for this voice."}}),
    (404, {"error": {"message": "Model not found: other"}}),
    (400, {"error": {"message": "Unknown model: other"}}),
    (400, {"error": {"message": "Some words before: the model parameter is not valid"}}),
    (404, {"error": {"message": "Invalid URL (POST /v1/x?model={})"}}),
    (404, {"error": {"message": "Not Found"}}),
    (404, {"error": {"message": "Only {}-mini, {}.1, {}:8b and x{} are here."}}),
    (404, {"error": {"message": None}}),
    (404, {"error": ["gpt"]}),
    (422, {"detail": "Model {} not found"}),
]
