"""What the service uses of libraries beyond their documents stands in one table."""

import ast
import configparser
import http.client
import re
from importlib.metadata import version

import gevent.socket
import pytest
import urllib3
from packaging.requirements import Requirement
from packaging.version import Version
from testing.builders import ROOT

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


def private(name: str) -> bool:
    return bool(re.fullmatch(r"_[a-z]\w*", name))


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
    return set(filter(private, used - own))


@pytest.mark.parametrize(("owner", "name"), HOOKS, ids=lambda item: getattr(item, "__name__", item))
def test_a_private_name_is_still_there(owner, name):
    """A version that drops it is found out here, not by a caller."""
    assert name in {*vars(owner), *owner.__init__.__code__.co_names}


def test_no_other_private_name_is_used():
    """Whoever needs one adds it to the table, with its promise."""
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
