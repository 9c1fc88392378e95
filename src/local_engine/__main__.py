"""`python -m local_engine`: loads the models, then serves them on this machine."""

from __future__ import annotations

import argparse
import gc
import ipaddress
import os
import signal
import socket
import sys
import time

from werkzeug.serving import WSGIRequestHandler, make_server

from local_engine.app import create_app
from local_engine.chat import Replier
from local_engine.stt import Transcriber
from local_engine.tts import Speaker

BACKLOG = 1024  # callers that may all knock at once
MAX_THREADS = 4  # for each model: these are small, and more would only get in each other's way


class QuietHandler(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing: the app says one line about each request."""


def bind(host: str, port: int, *, any_address: bool) -> socket.socket:
    """A socket that holds the port without listening yet. Exits in one sentence if it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        if not (any_address or ipaddress.ip_address(address[0]).is_loopback):
            sys.exit(
                f"{host} is not a loopback address, and whoever reaches the engine may use it:"
                " add --allow-any-address if that is what you want."
            )
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        sys.exit(f"Cannot serve on {host} port {port}: {error.strerror}.")
    return listener


def model_list(names: dict[str, str]) -> str:
    """The names by stage, in the format of MODEL_LIST.MD."""
    return "\n".join(
        f"## {stage}\n\n| model | default |\n|---|---|\n| {name} | yes |\n"
        for stage, name in names.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="local_engine", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0 picks a free one")
    parser.add_argument("--hint", help="said once the engine is ready")
    parser.add_argument("--model-list", action="store_true", help="print the models and stop")
    parser.add_argument("--allow-any-address", action="store_true")
    options = parser.parse_args()

    transcriber = Transcriber(os.environ.get("LOCAL_ENGINE_WHISPER"))
    replier = Replier(os.environ.get("LOCAL_ENGINE_GGUF"))
    speaker = Speaker()
    if options.model_list:
        print(model_list({"stt": transcriber.name, "text": replier.name, "tts": speaker.name}))
        return

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    listener = bind(options.host, options.port, any_address=options.allow_any_address)
    threads = min(os.cpu_count() or 1, MAX_THREADS)
    for engine in (transcriber, replier, speaker):
        begun = time.perf_counter()
        engine.load(threads)
        print(f"{engine.name} loaded in {time.perf_counter() - begun:.1f} s", flush=True)
    # faster-whisper collects garbage after each upload: what is loaded by now is none.
    gc.freeze()
    listener.listen(BACKLOG)
    host, port = listener.getsockname()[:2]
    server = make_server(
        host,
        port,
        create_app(transcriber, replier, speaker),
        threaded=True,
        request_handler=QuietHandler,
        fd=listener.fileno(),
    )
    shown = f"[{host}]" if ":" in host else host
    print(f"ready on http://{shown}:{port}/v1", flush=True)
    if options.hint:
        print(options.hint, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
