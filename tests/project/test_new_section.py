"""CONTRIBUTING.md's "Add a section in four steps", followed in a copy of the tree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
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

| header | | meaning |
|---|---|---|
| `X-Unit` | optional | the same |

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


def add_section(tree: Path, name: str, steps: set[int]) -> None:
    """Take these of the four steps."""
    section = name.upper()
    text = TEXT.format(name=name)
    document = tree / "API_DOCS.md"
    new = f"<!-- BEGIN: {section} -->" not in document.read_text()
    if 1 in steps and new:
        markers = f"\n<!-- BEGIN: {section} -->\n{text}<!-- END: {section} -->\n"
        document.write_text(document.read_text() + markers)
    elif 1 in steps:
        end = f"<!-- END: {section} -->"
        change(document, end, f"{text}{end}")
    if 2 in steps:
        shown = (tree / "blueprints" / "conversation.py").read_text()
        [room] = re.findall(r"^from (parley[\w.]*) import .*\bservices\b", shown, re.M)
        code = BLUEPRINT.format(section=section, name=name, services=f"from {room} import services")
        (tree / "blueprints" / f"{name}.py").write_text(code)
    if 3 in steps and new:
        listed = tree / "blueprints" / "__init__.py"
        change(listed, "    jobs,\n", f"    jobs,\n    {name},\n")
        change(listed, "    jobs.bp,\n", f"    jobs.bp,\n    {name}.bp,\n")
    if 4 in steps:
        (tree / "tests" / "blueprints" / f"test_{name}.py").write_text(TEST.format(name=name))


def check(tree: Path, *files: str) -> str:
    """What these tests say of the tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(
        command, check=False, cwd=tree, capture_output=True, text=True, timeout=SECONDS
    )
    return f"{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture
def tree(copy):
    """The copy, which Python compiles once; what a test changes there is undone."""

    def files():
        return [copy / "API_DOCS.md", *copy.glob("**/blueprints/*.py")]

    before = {file: file.read_text() for file in files()}
    yield copy
    for file in files():
        if before.get(file) is None:
            file.unlink()
        elif file.read_text() != before[file]:
            file.write_text(before[file])


def test_the_four_steps_make_a_section(tree):
    """A new name, and one whose section was empty: both routes answer, and all is in order."""
    for name in ("limits", "chats"):
        add_section(tree, name, {1, 2, 3, 4})
    said = check(tree, *FILES)
    assert "passed" in said
    assert "failed" not in said, said
    assert "error" not in said, said


@pytest.mark.parametrize(("name", "forgotten"), [("limits", 1), ("limits", 3), ("chats", 2)])
def test_a_forgotten_step_is_told_by_name(tree, name, forgotten):
    add_section(tree, name, {1, 2, 3} - {forgotten})
    said = check(tree, "tests/project/test_layout.py", "-k", "section", "--noconftest")
    assert re.search(rf"^E .*: \['{name}'\]$", said, re.M)
