"""What callers are told stands in the classes, not in what Python may leave out."""

import json
import sys

from testing.builders import ROOT, ran

from parley import errors

PRINT = """
import json
from parley import errors
named = {name: each for name, each in vars(errors).items() if hasattr(each, "code")}
print(json.dumps({name: [each.code, each.message] for name, each in named.items()}))
"""


def test_codes_and_messages_do_not_depend_on_docstrings():
    """`python -OO` removes docstrings; callers are told the same."""
    told = json.loads(ran(sys.executable, "-OO", "-c", PRINT, PYTHONPATH=str(ROOT / "src")))
    assert told["DeadlineExceeded"][0] == "deadline_exceeded"
    named = {name: each for name, each in vars(errors).items() if hasattr(each, "code")}
    assert told == {name: [each.code, each.message] for name, each in named.items()}


def test_an_error_says_its_own_message_or_the_classs():
    assert str(errors.NotFound("Nothing here.")) == "Nothing here."
    assert errors.NotFound().message == errors.NotFound.message != "Nothing here."
