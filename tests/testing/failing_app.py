"""The service with a fault of its own: what TEST_FAULT names raises a text with a key."""

import importlib
import os
from typing import NoReturn

from testing.builders import KEY
from wsgi import app

__all__ = ["app"]


def fail(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(KEY)


module, _, name = os.environ["TEST_FAULT"].partition(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
setattr(owner, last, fail)
