"""The house keeps its shape: sections, imports, and who may know what."""

import ast
import re

import pytest
from support import ROOT

from blueprints import BLUEPRINTS

SECTIONS = [
    *("AUTH", "ADMIN", "SYSTEM", "WORKSPACES", "CHATS", "DOCUMENTS", "FILES", "LLM", "EMBEDDING"),
    *("IMAGE", "STT", "TTS", "CONVERSATION", "SCHEMA", "JOBS"),
]
# Each may import what stands to its left, and nothing to its right.
LAYERS = [
    {"errors"},
    {"log", "egress", "audio", "registry", "credentials", "deadline"},
    {"settings", "resolver", "retries", "timed", "speech"},
    {"transport", "worker"},
    {"realtime"},
    {"openai"},
    {"conversation"},
    {"upload", "trace"},
    {"schemas"},
    {"openapi"},
    {"handlers"},
    {"app"},
    {"commands", "page"},
]
FLASKLESS = set.union(*LAYERS[: LAYERS.index({"conversation"}) + 1])


def modules() -> dict[str, set[str]]:
    """Each module of src/parley and what it imports, by full names."""
    found = {}
    for path in (ROOT / "src" / "parley").rglob("*.py"):
        imports = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imports |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                imports |= {f"{node.module}.{name}" for name in names} | {node.module}
        parts = path.relative_to(ROOT / "src" / "parley").with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = imports
    del found[""]
    return found


def test_sections_modules_and_blueprints_are_the_same():
    """A section without its module, or a module that is not listed, fails here by name."""
    documented = re.findall(r"<!-- BEGIN: (\w+) -->", (ROOT / "API_DOCS.md").read_text())
    names = [name.lower() for name in documented]
    files = {path.stem for path in (ROOT / "blueprints").glob("*.py")} - {"__init__"}
    listed = [blueprint.name for blueprint in BLUEPRINTS]
    assert documented == SECTIONS
    assert set(names) == files, f"no module or no section: {sorted(set(names) ^ files)}"
    assert names == listed, f"BLUEPRINTS differs: {sorted(set(names) ^ set(listed)) or listed}"


def test_only_the_conversation_has_content():
    """The other fourteen sections are empty, in the document as in the code."""
    for section in SECTIONS:
        pattern = f"<!-- BEGIN: {section} -->(.*?)<!-- END: {section} -->"
        [content] = re.findall(pattern, (ROOT / "API_DOCS.md").read_text(), re.DOTALL)
        assert bool(content.strip()) is (section == "CONVERSATION"), section
    assert [bp.name for bp in BLUEPRINTS if bp.deferred_functions] == ["conversation"]


def test_imports_run_one_way():
    """From errors to app: no module imports one of its own layer or of a later one."""
    order = {name: level for level, layer in enumerate(LAYERS) for name in layer}
    for module, imports in modules().items():
        top = module.partition(".")[0]
        for imported in imports:
            parts = imported.split(".")
            if parts[0] == "parley" and len(parts) > 1 and parts[1] in order and parts[1] != top:
                assert order[parts[1]] < order[top], f"{module} imports {imported}"


def test_every_module_has_its_place():
    """A new module is placed in the order before it is used."""
    assert {name.partition(".")[0] for name in modules()} == set.union(*LAYERS)


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("requests", {"transport"}),
        ("urllib3", {"transport"}),
        ("websockets", {"transport"}),
        ("flask", {name.partition(".")[0] for name in modules()} - FLASKLESS),
        ("local_engine", set()),
        ("blueprints", set()),
    ],
)
def test_who_may_know_what(package, allowed):
    """One file has requests, Flask stays out of the middle, and nothing knows the engine."""
    users = {
        module.partition(".")[0]
        for module, imports in modules().items()
        if any(imported.split(".")[0] == package for imported in imports)
    }
    assert users <= allowed


def test_the_local_engine_knows_nothing_of_the_service():
    """HTTP is the only tie between the two."""
    for path in (ROOT / "src" / "local_engine").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) (parley|blueprints)", path.read_text(), re.M), path
