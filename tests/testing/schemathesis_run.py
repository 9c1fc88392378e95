"""Run schemathesis against the served application; for a network namespace with loopback alone.

Its own process has this module for its hooks.

unshare -n sh -c "ip link set lo up && cd tests && python -m testing.schemathesis_run FOLDER"
"""

import random
import subprocess
import sys
from pathlib import Path

import schemathesis

from testing import fake_openai as fake
from testing.builders import KEY, wav
from testing.fake_streams import streams_chat, streams_speech
from testing.gunicorn_process import ROOT, environment, serving

CASES = 2100
ACCEPTED = (None, "application/json", "text/event-stream", "audio/mpeg", "audio/*")
chance = random.Random(1)


@schemathesis.hook
def map_case(context, case):
    """Give two of three cases a key, as many audio and no base URL; all ask for something."""
    if case.path == "/api/conversation/" and case.method == "POST":
        if chance.random() < 2 / 3:
            case.headers["X-OpenAI-API-Key"] = KEY
        if chance.random() < 2 / 3 and isinstance(case.body, dict):
            case.body["audio"] = wav()
        if chance.random() < 2 / 3:  # Else nearly all of them are refused, and nothing is tried.
            for name in [name for name in case.headers if name.lower().endswith("-base-url")]:
                del case.headers[name]
        if accept := chance.choice(ACCEPTED):
            case.headers["Accept"] = accept
    return case


def main(folder: Path) -> int:
    """Fuzz, say what was found, and leave the service's log in `folder`."""
    with fake.running() as upstream:
        upstream.answers = {"text": streams_chat(), "tts": streams_speech()}
        variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
        with serving(folder / "log", variables) as service:
            command = [
                *(sys.executable, "-m", "schemathesis.cli", "run", ROOT / "docs" / "openapi.json"),
                *("--url", service.url, "--max-examples", str(CASES), "--seed", "1"),
                *("--phases", "examples,coverage,fuzzing", "--checks", "status_code_conformance"),
                *("--checks", "content_type_conformance,response_schema_conformance"),
                *("--checks", "response_headers_conformance"),
                *("--generation-database", "none", "--continue-on-failure", "--no-color"),
            ]
            hooks = {
                "SCHEMATHESIS_HOOKS": "testing.schemathesis_run",
                "PYTHONPATH": f"{ROOT}:{ROOT}/tests:{ROOT}/src",
            }
            variables = environment(**hooks, PYTHONHASHSEED="1")
            run = subprocess.run(command, check=False, cwd=folder, env=variables, timeout=900)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
