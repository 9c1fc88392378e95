"""Garbage collection does not hold up conversations for what was loaded at the start."""

import sys

from testing.builders import ran

PROGRAM = """\
import gc, runpy
settings = runpy.run_path("gunicorn.conf.py")
loaded = len(gc.get_objects())
settings["when_ready"](None)
print(loaded, gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_what_is_loaded_is_never_looked_through_again():
    """The configuration of gunicorn freezes it, before the workers are forked."""
    told = ran(sys.executable, "-c", PROGRAM).splitlines()[-1]
    loaded, frozen, left = map(int, told.split())
    assert loaded > 10_000
    assert frozen > 0.9 * loaded
    assert left < 0.05 * loaded
