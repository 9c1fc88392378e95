"""Run schemathesis against the served application; for a network namespace with loopback alone.

unshare -n sh -c "ip link set lo up && cd tests && python -m testing.schemathesis_run FOLDER"
"""

import subprocess
import sys
from pathlib import Path

from testing import fake_openai as fake
from testing.fake_streams import streams_chat, streams_speech
from testing.gunicorn_process import ROOT, environment, serving

CASES = 2100


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
                "SCHEMATHESIS_HOOKS": "testing.schemathesis_hooks",
                "PYTHONPATH": f"{ROOT}:{ROOT}/tests:{ROOT}/src",
            }
            variables = environment(**hooks, PYTHONHASHSEED="1")
            run = subprocess.run(command, check=False, cwd=folder, env=variables, timeout=900)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
