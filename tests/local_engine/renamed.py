"""`python renamed.py STT TEXT TTS --port 0`: the engine under other models' names."""

import sys
from collections.abc import Callable
from typing import Any

from local_engine import __main__ as engine


def renamed(build: Callable[..., Any], name: str) -> Callable[..., Any]:
    """What `build` makes, answering to that name and to no other."""

    def made(*arguments: Any) -> Any:
        built = build(*arguments)
        built.name = name
        return built

    return made


for kind in ("Transcriber", "Replier", "Speaker"):
    setattr(engine, kind, renamed(getattr(engine, kind), sys.argv.pop(1)))
engine.main()
