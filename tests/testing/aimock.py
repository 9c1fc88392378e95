"""npm's aimock, an upstream that nobody here wrote: it answers what it is told for each model."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from testing.builders import KEY, ROOT
from testing.fake_openai import TRANSCRIPT
from testing.processes import started

CLI = ROOT / "tests/interop/node_modules/@copilotkit/aimock/dist/cli.js"
ENDPOINTS = {"stt": "transcription", "text": "chat", "tts": "speech"}
REPLY = "It is Paris. Paris is a large city, and it is on the river Seine."
GOOD: Mapping[str, Mapping[str, object]] = {
    "stt": {"transcription": {"text": TRANSCRIPT}},
    "text": {"content": REPLY},
    "tts": {"audio": "SUQzBAAAAAAAAA=="},
}


def answer(stage: str, model: str, **more: object) -> dict[str, object]:
    """What a model of a stage answers: well, if nothing else is said."""
    match = {"endpoint": ENDPOINTS.get(stage, stage), "model": model}
    return {"match": match, "response": GOOD.get(stage), **more}


@contextmanager
def running(folder: Path, answers: Iterable[Mapping[str, object]] = ()) -> Iterator[str]:
    """It, with these answers and those of the models `good`, for this one key; its base URL."""
    fixtures = [*(answer(stage, "good") for stage in ENDPOINTS), *answers]
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}))
    command = ["node", CLI, "-p", "0", "-f", folder / "fixtures.json"]
    ready = r"listening on (http://127\.0\.0\.1:\d+)\n"
    with started(command, folder / "log", ready, AIMOCK_API_KEYS=KEY) as (url, _):
        yield f"{url}/v1"


def model_list(defaults: Mapping[str, str] = {}, **rows: str) -> str:
    """A list whose defaults are `good` or these, with more rows of a stage, and any other name."""
    return "".join(
        f"## {stage}\n\n| model | default | interface | parameters |\n|---|---|---|---|\n"
        f"| {defaults.get(stage, 'good')} | yes | | |\n{rows.get(stage, '')}| * | | | |\n\n"
        for stage in ENDPOINTS
    )
