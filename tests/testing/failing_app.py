"""The service with a fault of its own: what /fail/NAME named last raises a text with a key."""

from pkgutil import resolve_name
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
    owner, _, last = fault.replace(":", ".").rpartition(".")
    if owner:
        broken = resolve_name(owner)
        whole.append((broken, last, getattr(broken, last)))
        setattr(broken, last, fail)
    return fault
