"""How hosts say that they do not have a model, and what sounds like it."""

import json
from pathlib import Path

from testing import fake_realtime as realtime
from testing.fake_openai import good
from testing.upstream_faults import Behaviour

MODELS = {"stt": "whisper-1", "text": "gpt-4o", "tts": "tts-1"}
_, *SECTIONS = Path(__file__).with_suffix(".txt").read_text("utf-8").split("# Of ")
UNKNOWN, KNOWN = (
    [(int(line[:3]), json.loads(line[4:])) for line in lines.splitlines()[1:]] for lines in SECTIONS
)
"""Each a status and a body: those that say so, and those that sound like it."""

REPLACED = {
    "stt": lambda connection, request: connection.sendall(good(request)) or True,
    "tts": realtime.Readings(),
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
