"""Ask with a recording, and write the answer's sound to standard output while it is made.

    python examples/talk.py examples/question.wav | aplay -q -f S16_LE -r 24000 -c 1

PARLEY_URL names the service, OPENAI_API_KEY the key; where the service needs none, leave it out.
"""

import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

URL = os.environ.get("PARLEY_URL", "http://localhost:8000")
KEY = os.environ.get("OPENAI_API_KEY")


def events(answer: requests.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each event's name and data. The service writes one line of each, and a blank one after."""
    name = ""
    for line in answer.iter_lines(chunk_size=1024):
        field, _, value = line.decode().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def main(path: str) -> int:
    """Send the file at `path`; return 0 if all went well."""
    headers = {"Accept": "text/event-stream"} | ({"X-OpenAI-API-Key": KEY} if KEY else {})
    with (
        Path(path).open("rb") as recording,
        requests.post(
            f"{URL}/api/conversation/",
            headers=headers,
            files={"audio": recording},
            data={"audio_format": "pcm"},  # The one format whose pieces can simply be joined.
            stream=True,
            timeout=(5, 60),
        ) as answer,
    ):
        # A failure before there is a transcript is JSON, so look at the type before reading events.
        if not answer.headers["Content-Type"].startswith("text/event-stream"):
            print(answer.json()["errors"][0]["message"], file=sys.stderr)
            return 1
        for name, data in events(answer):
            if name == "transcript":
                print(f"> {data['text']}", file=sys.stderr)
            elif name == "text":
                print(data["delta"], end="", file=sys.stderr, flush=True)
            elif name == "audio":
                sys.stdout.buffer.write(base64.b64decode(data["data"]))
                sys.stdout.buffer.flush()
            elif name == "error":
                print(f"\n{data['message']}", file=sys.stderr)
            elif name == "done":
                print(file=sys.stderr)
                return 0 if data["success"] else 1
    print("\nThe answer was cut off.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
