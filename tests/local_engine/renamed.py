"""`python renamed.py FILE --port 0`: the engine, whose models go by the three names in the file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_engine import __main__ as engine

NAMES = Path(sys.argv.pop(1))


def renamed(build: Callable[..., Any], position: int) -> Callable[..., Any]:
    """What `build` makes, answering to the name that stands there now, and to no other."""

    def made(*arguments: Any) -> Any:
        built = build(*arguments)
        name = property(lambda _: NAMES.read_text().split()[position])
        built.__class__ = type("Renamed", (type(built),), {"name": name})
        return built

    return made


for number, kind in enumerate(("Transcriber", "Replier", "Speaker")):
    setattr(engine, kind, renamed(getattr(engine, kind), number))
engine.main()
