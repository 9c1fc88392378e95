"""What callers are told stands in the classes, not in what Python may leave out."""

import json
import subprocess
import sys

from testing.builders import ROOT

from parley import errors

PRINT = """
import json
from parley import errors
named = {name: each for name, each in vars(errors).items() if hasattr(each, "code")}
print(json.dumps({name: [each.code, each.message] for name, each in named.items()}))
"""


def test_codes_and_messages_do_not_depend_on_docstrings():
    """`python -OO` removes docstrings; callers are told the same."""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", PRINT],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["DeadlineExceeded"][0] == "deadline_exceeded"
    assert told == {
        name: [each.code, each.message]
        for name, each in vars(errors).items()
        if hasattr(each, "code")
    }


def test_an_error_says_its_own_message_or_the_classs():
    """A failure that knows more than its class says so, and leaves the class as it is."""
    assert errors.NotFound().message == errors.NotFound.message
    assert errors.NotFound("Nothing here.").message == "Nothing here."
    assert str(errors.NotFound("Nothing here.")) == "Nothing here."
    assert errors.NotFound.message != "Nothing here."
    assert errors.UpstreamUnavailable().retry
    assert not errors.UpstreamUnavailable(retry=False).retry
