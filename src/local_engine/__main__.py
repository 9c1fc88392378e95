"""`python -m local_engine`: loads the models, then serves them on this machine."""

import argparse
import gc
import ipaddress
import os
import signal
import socket
import sys
import time
from functools import partial

from werkzeug.serving import WSGIRequestHandler, make_server

try:
    from local_engine.app import create_app
    from local_engine.chat import Replier
    from local_engine.stt import Transcriber
    from local_engine.tts import Speaker
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed here; 'make run' installs what the engine needs.")

BACKLOG = 1024  # callers that may knock at once
MAX_THREADS = 4  # per model; more would only get in each other's way

INTERFACES = {"stt": "transcriptions", "text": "chat", "tts": "speech"}
COLUMNS = "| model | default | interface | voices | language |\n" + "|---" * 5 + "|"

VOICE = "alloy"  # what the service asks for where its caller names none

say = partial(print, flush=True)


class QuietHandler(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing: the app has its own line about each request."""


def bind(host: str, port: int, *, any_address: bool) -> socket.socket:
    """A socket that holds the port but does not listen yet; leaves in one sentence if it can't."""
    try:
        family, *_, (address, *_) = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        if not (any_address or ipaddress.ip_address(address).is_loopback):
            sys.exit(f"{host} is not a loopback address; --allow-any-address lets others call.")
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except (OSError, OverflowError) as error:
        sys.exit(f"Cannot serve on {host}, port {port}: {error}")
    return listener


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="local_engine", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=8001, type=int, help="0 takes any free one")
    parser.add_argument("--hint", action="append", default=[], help="a line for when it is ready")
    parser.add_argument("--model-list", action="store_true", help="print a MODEL_LIST.MD and stop")
    parser.add_argument("--allow-any-address", action="store_true")
    options = parser.parse_args()

    transcriber = Transcriber(os.environ.get("LOCAL_ENGINE_WHISPER"))
    replier = Replier(os.environ.get("LOCAL_ENGINE_GGUF"))
    speaker = Speaker()
    engines: tuple[Transcriber | Replier | Speaker, ...] = transcriber, replier, speaker
    if options.model_list:
        for (stage, interface), engine in zip(INTERFACES.items(), engines, strict=True):
            # The other names of voices are taken, too, but nobody is offered what sounds the same.
            voices = VOICE if stage == "tts" else ""
            language = "language" if stage == "stt" and transcriber.takes_language else ""
            row = f"| {engine.name} | yes | {interface} | {voices} | {language} |"
            say(f"## {stage}\n\n{COLUMNS}\n{row}\n")
        return

    for number in (signal.SIGINT, signal.SIGTERM):
        # Not sys.exit: an interpreter that is torn down under the models' threads crashes.
        signal.signal(number, lambda *_: os._exit(0))
    listener = bind(options.host, options.port, any_address=options.allow_any_address)
    threads = min(os.cpu_count() or 1, MAX_THREADS)
    for engine in engines:
        begun = time.perf_counter()
        try:
            engine.load(threads)
        except Exception as error:
            sys.exit(f"Cannot load {engine.name}: {error}")
        say(f"{engine.name} is loaded ({time.perf_counter() - begun:.1f} s)")
    gc.freeze()  # faster-whisper collects garbage after each decoding: what is loaded is none
    try:
        listener.listen(BACKLOG)
    except OSError as error:  # Another engine bound the port, too, and was loaded sooner.
        sys.exit(f"Cannot serve on {options.host}, port {options.port}: {error}")
    host, port = listener.getsockname()[:2]
    app = create_app(transcriber, replier, speaker, log=say)
    server = make_server(
        host, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
    )
    say(f"ready on http://{f'[{host}]' if ':' in host else host}:{port}/v1")
    for hint in options.hint:
        say(hint)
    server.serve_forever()


if __name__ == "__main__":
    main()
