"""CONTRIBUTING.md's "Add a section in four steps", followed in a copy of the tree."""

import re
import subprocess
import sys
from pathlib import Path

from testing.builders import copy_tree

SECONDS = 120
FILES = (
    "tests/project/test_layout.py",
    "tests/project/test_documents.py",
    "tests/project/test_api_documents.py",
    "tests/blueprints/test_limits.py",
    "tests/blueprints/test_chats.py",
)
TEXT = """\
## GET /api/{name}/

Says how many seconds a conversation may take.

| field | | meaning |
|---|---|---|
| `unit` | optional | the unit; the default is seconds |

| status | when |
|---|---|
| 200 | always |
"""
BLUEPRINT = '''\
"""{section}: how long a conversation may take."""

from flask import Blueprint

{services}

bp = Blueprint("{name}", __name__, url_prefix="/api/{name}")


@bp.get("")
def deadline() -> dict[str, float]:
    """Say it in seconds."""
    return {{"seconds": services().settings.deadline}}
'''
TEST = '''\
"""The section's own test."""


def test_it_answers(client):
    """Under both spellings, like every route."""
    for path in ("/api/{name}", "/api/{name}/"):
        assert client.get(path).json == {{"seconds": 28}}
'''


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def take_step(tree: Path, name: str, step: int) -> None:
    """Take one of the four steps for a section: one whose markers are there, or a new one."""
    section, text = name.upper(), TEXT.format(name=name)
    document, blueprints = tree / "API_DOCS.md", tree / "blueprints"
    end = f"<!-- END: {section} -->"
    is_there = end in document.read_text()
    if step == 1 and is_there:
        change(document, end, f"{text}{end}")
    elif step == 1:
        markers = f"\n<!-- BEGIN: {section} -->\n{text}{end}\n"
        document.write_text(document.read_text() + markers)
    elif step == 2:
        shown = (blueprints / "conversation.py").read_text()
        [room] = re.findall(r"^from (parley[\w.]*) import .*\bservices\b", shown, re.M)
        code = BLUEPRINT.format(section=section, name=name, services=f"from {room} import services")
        (blueprints / f"{name}.py").write_text(code)
    elif step == 3:
        listed = blueprints / "__init__.py"
        change(listed, "    jobs,\n", f"    jobs,\n    {name},\n")
        change(listed, "    jobs.bp,\n", f"    jobs.bp,\n    {name}.bp,\n")
    else:
        (tree / "tests" / "blueprints" / f"test_{name}.py").write_text(TEST.format(name=name))


def check(tree: Path, *files: str) -> str:
    """What these tests say of the tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(
        command, check=False, cwd=tree, capture_output=True, text=True, timeout=SECONDS
    )
    return f"{done.stdout}{done.stderr}"


def test_the_four_steps_make_a_section(tmp_path):
    """Each that is not taken yet is told by name; after all of them both routes answer.

    One section is new (its module is in place before its text, and before it is listed), and one
    was empty.
    """
    tree = copy_tree(tmp_path)
    told = []
    for steps in ([("limits", 2)], [("limits", 1), ("chats", 1)]):
        for name, step in steps:
            take_step(tree, name, step)
        said = check(tree, "tests/project/test_layout.py", "-k", "section", "--noconftest")
        told += re.findall(r"^E .*: (\[.*\])$", said, re.M)
    assert told == ["['limits']", "['limits']", "['chats', 'limits']"]
    take_step(tree, "limits", 3)
    for name, step in (("chats", 2), ("chats", 4), ("limits", 4)):
        take_step(tree, name, step)
    said = check(tree, *FILES)
    assert "passed" in said
    assert "failed" not in said, said
    assert "error" not in said, said
