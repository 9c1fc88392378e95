"""The house keeps its shape: sections, imports, and who may know what, of libraries too."""

import ast
import configparser
import http.client
import importlib
import re
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path

import gevent.socket
import pytest
import urllib3
from packaging.requirements import Requirement
from packaging.version import Version
from testing.builders import ROOT

from blueprints import BLUEPRINTS

SECTIONS = [
    *("AUTH", "ADMIN", "SYSTEM", "WORKSPACES", "CHATS", "DOCUMENTS", "FILES", "LLM", "EMBEDDING"),
    *("IMAGE", "STT", "TTS", "CONVERSATION", "SCHEMA", "JOBS"),
]
# By room, the rooms that it may import; "" is the ground, which everybody may import.
MAY_IMPORT = {
    "": set(),
    "models": set(),
    "wire": set(),
    "upstream": {"models", "wire"},
    "conversation": {"models", "upstream"},
    "web.serving": {"wire"},
    "web": {"models", "wire", "upstream", "conversation", "web.serving"},
    "page": {"models", "web"},
    "commands": {"models", "wire", "upstream", "conversation", "web"},
}
WHO_MAY_KNOW = {
    "requests": {"wire"},
    "urllib3": {"wire"},
    "websockets": {"wire"},
    "gevent": {"", "wire", "conversation", "web.serving"},
    "gunicorn": {"web", "web.serving"},
    "flask": {"web", "page", "commands"},
    "local_engine": set(),
    "blueprints": set(),
}


def room_of(module: str) -> str:
    """The room in which a module of src/parley stands; the commands stand above all rooms."""
    within = [room for room in MAY_IMPORT if f"{module}.".startswith(f"{room}.")]
    return max(within, key=len, default="")


def rooms() -> set[str]:
    """The folders of src/parley."""
    package = ROOT / "src" / "parley"
    folders = {path.parent.relative_to(package) for path in package.rglob("*/__init__.py")}
    return {".".join(folder.parts) for folder in folders}


def imports_of(path: Path) -> set[str]:
    """What a module imports, by full names."""
    imports = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            imports |= {f"{node.module}.{name}" for name in names} | {node.module}
    return imports


def tops(imports: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in imports}


@cache
def modules() -> dict[str, set[str]]:
    """Each module of src/parley and what it imports, by full names."""
    found = {}
    for path in (ROOT / "src" / "parley").rglob("*.py"):
        parts = path.relative_to(ROOT / "src" / "parley").with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = imports_of(path)
    del found[""]
    return found


def test_sections_modules_and_blueprints_are_the_same():
    """A section without its module, or a module that is not listed, fails here by name."""
    documented = re.findall(r"<!-- BEGIN: (\w+) -->", (ROOT / "API_DOCS.md").read_text())
    names = [name.lower() for name in documented]
    files = {path.stem for path in (ROOT / "blueprints").glob("*.py")} - {"__init__"}
    listed = [blueprint.name for blueprint in BLUEPRINTS]
    assert [section for section in documented if section in SECTIONS] == SECTIONS
    assert set(names) == files, f"no module or no section: {sorted(set(names) ^ files)}"
    assert names == listed, f"BLUEPRINTS differs: {sorted(set(names) ^ set(listed)) or listed}"


def test_a_section_has_text_exactly_where_its_blueprint_has_routes():
    """Nothing is promised that is not there, and nothing is there that is not told."""
    pattern = r"<!-- BEGIN: (\w+) -->(.*?)<!-- END: \1 -->"
    sections = re.findall(pattern, (ROOT / "API_DOCS.md").read_text(), re.DOTALL)
    told = {section.lower() for section, text in sections if text.strip()}
    built = {bp.name for bp in BLUEPRINTS if bp.deferred_functions}
    assert "conversation" in told
    assert told == built, f"text without routes, or routes without text: {sorted(told ^ built)}"


def test_imports_run_one_way():
    """Between the rooms, which are all folders."""
    assert rooms() == set(MAY_IMPORT) - {"", "commands"}
    for module, imports in modules().items():
        room = room_of(module)
        for imported in imports:
            package, _, rest = imported.partition(".")
            if package == "parley" and rest:
                allowed = {"", room} | MAY_IMPORT[room]
                assert room_of(rest) in allowed, f"{module} imports {imported}"


def test_rooms_import_what_leaves_a_room():
    """A room's `__all__` names the modules that others may import; the web room hides none."""
    packages = {room: importlib.import_module(f"parley.{room}") for room in rooms()}
    exported = {room: it.__all__ for room, it in packages.items() if hasattr(it, "__all__")}
    assert packages.keys() - exported.keys() == {"web", "web.serving"}
    assert {f"{room}.{name}" for room in exported for name in exported[room]} <= modules().keys()
    outside = [*(ROOT / "blueprints").glob("*.py"), ROOT / "wsgi.py"]
    users = {f"{path.stem} ": imports_of(path) for path in outside}
    for module, imports in {**modules(), **users}.items():
        for name in imports:
            package, _, rest = name.partition(".")
            room = room_of(rest)
            inside = rest.removeprefix(room).strip(".").split(".")[0]
            if package == "parley" and room in exported and room != room_of(module) and inside:
                assert inside in exported[room], f"{module} imports {name}"


def test_no_modules_import_each_other():
    known = modules()
    graph = {
        module: {name.removeprefix("parley.") for name in imports} & known.keys()
        for module, imports in known.items()
    }
    TopologicalSorter(graph).prepare()  # Raises CycleError, which names the circle.


def test_no_file_is_long():
    """A file that no longer fits on five screens has two jobs, tests and benchmarks included."""
    paths = [*ROOT.glob("*.py")]
    for folder in ("src", "blueprints", "tests", "benchmarks"):
        paths += (path for path in (ROOT / folder).rglob("*") if "node_modules" not in path.parts)
    checked = [path for path in paths if path.suffix in {".py", ".js", ".css"}]
    assert {path.suffix for path in checked} == {".py", ".js", ".css"}
    lengths = {str(path): len(path.read_text().splitlines()) for path in checked}
    assert {path: length for path, length in lengths.items() if length > 250} == {}


@pytest.mark.parametrize(("package", "allowed"), WHO_MAY_KNOW.items())
def test_who_may_know_what(package, allowed):
    """One room has requests, Flask stays out of the middle, and nothing knows the engine."""
    users = {room_of(module) for module, found in modules().items() if package in tops(found)}
    assert users <= allowed


def test_the_local_engine_knows_nothing_of_the_service():
    for path in (ROOT / "src" / "local_engine").rglob("*.py"):
        assert not tops(imports_of(path)) & {"parley", "blueprints"}


HOOKS = {
    # The name, by the class that it is private to: the promise that it keeps.
    (http.client.HTTPResponse, "_read_status"): "Interim answers are skipped, and counted.",
    (http.client.HTTPResponse, "_close_conn"): "An answer without a clear end is the last one.",
    (urllib3.connection.HTTPConnection, "_new_conn"): "Only checked addresses are connected to.",
    (urllib3.HTTPResponse, "_original_response"): "A WebSocket reads on behind its answer.",
    (gevent.socket.socket, "_io_refs"): "TLS to an upstream works within TLS to a proxy.",
}
TRIED = {"urllib3": "2.8", "requests": "2.34", "gevent": "26.9", "gunicorn": "27.0"}
"""The minor versions on which these promises were tried; setup.cfg admits no others."""


def names_of_others() -> set[str]:
    """The private names that src/parley reads without having set or defined them itself."""
    used, own = set(), set()
    for path in (ROOT / "src" / "parley").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                (used if isinstance(node.ctx, ast.Load) else own).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
    return {name for name in used - own if re.fullmatch(r"_[a-z]\w*", name)}


def test_each_private_name_is_still_there_and_no_other_is_used():
    """A version that drops one is found out here; whoever needs one adds it, with its promise."""
    for owner, name in HOOKS:
        assert name in {*vars(owner), *owner.__init__.__code__.co_names}, owner
    overridden = {"_read_status", "_close_conn", "_new_conn", "_io_refs"}
    assert names_of_others() | overridden == {name for _, name in HOOKS}


@pytest.mark.parametrize("package", TRIED)
def test_only_versions_that_were_tried_are_admitted(package):
    """The next minor version may change what is not documented."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].split("\n")
    [wanted] = [each for each in map(Requirement, filter(None, lines)) if each.name == package]
    tried = Version(TRIED[package])
    assert wanted.specifier.contains(f"{tried.major}.{tried.minor}.99")
    assert not wanted.specifier.contains(f"{tried.major}.{tried.minor + 1}")
    assert Version(version(package)).release[:2] == tried.release[:2]
