"""The service with a fault of its own: what /fail/NAME named last raises a text with a key."""

import importlib
from typing import NoReturn

from testing.builders import KEY
from wsgi import app

whole = []


def fail(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(KEY)


@app.get("/fail/<fault>")
def arm(fault: str) -> str:
    """Mend what failed before, and break that; `none` breaks nothing."""
    while whole:
        setattr(*whole.pop())
    module, _, name = fault.partition(":")
    if name:
        owner = importlib.import_module(module)
        *path, last = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        whole.append((owner, last, getattr(owner, last)))
        setattr(owner, last, fail)
    return fault
