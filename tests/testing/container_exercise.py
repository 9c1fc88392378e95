"""Start the image's own command inside it, ask its health and one conversation, and stop it.

python -m testing.container_exercise '{"Cmd": [...], "Healthcheck": [...]}' PORT
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import requests

from testing import fake_openai as fake


def main(command: list[str], healthcheck: list[str], port: str) -> None:
    """Fail where the service does not answer, runs as root, or does not stop in good order."""
    assert os.getuid() != 0
    os.environ["PORT"] = port
    with fake.running() as upstream:
        os.environ["PARLEY_OPENAI_BASE_URL"] = upstream.url
        service = subprocess.Popen(command)
        try:
            assert fake.soon(lambda: not subprocess.run(healthcheck, check=False).returncode, 60)
            answer = requests.post(
                f"http://127.0.0.1:{port}/api/conversation/",
                headers={"X-OpenAI-API-Key": "sk-Zq8vX3mK7pT2wR9yL4nB6cD1"},
                files={"audio": Path("question.wav").read_bytes()},
                timeout=30,
            )
        finally:
            service.terminate()
            ended = service.wait(35)
    assert answer.status_code == 200, answer.text
    assert answer.json()["text_response"] == fake.REPLY
    assert ended == 0


if __name__ == "__main__":
    config = json.loads(sys.argv[1])
    main(config["Cmd"], config["Healthcheck"], sys.argv[2])
