"""What is installed: the pins, for every Python and machine that is promised, and the wheel."""

import ast
import configparser
import re
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from testing.builders import ROOT, copy_tree, ran
from testing.fake_openai import REPLY
from testing.gunicorn_process import serving
from testing.representations import ask

UV = Path(sys.executable).parent / "uv"
SECONDS = 120
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
MACHINES = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"]
PINS = ["requirements.txt", "requirements-local.txt", "requirements-test.txt"]
# No wheel, so that pip compiles it: README.md says what helps.
COMPILED = {("3.11", "aarch64-apple-darwin"): ["gevent"]}


def uv(*words: object) -> str:
    """What uv prints; no Python but this machine's is ever looked for."""
    variables = {"UV_PYTHON_DOWNLOADS": "never", "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    return ran(UV, "--quiet", *words, seconds=SECONDS, **variables)


def names(pins: str) -> set[str]:
    return set(re.findall(r"^([a-z][\w.-]*)==", pins, re.M))


@pytest.mark.index
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_are_whole_and_each_has_a_wheel(python, machine):
    """No Python and no machine wants another package, or compiles one that is not listed."""
    compiled = COMPILED.get((python, machine), [])
    wheels = ["--only-binary=:all:", *(f"--no-binary={name}" for name in compiled)]
    where = ("--no-header", "--no-annotate", "--python-version", python)
    resolve = ("pip", "compile", *where, "--python-platform", machine)
    found = uv(*resolve, "--no-deps", *wheels, PINS[1])
    assert names(found) == names((ROOT / PINS[1]).read_text())
    wanted = uv(*resolve, "-c", PINS[0], "setup.cfg")
    assert names(wanted) == names((ROOT / PINS[0]).read_text())


def test_what_has_no_wheel_is_told():
    """README.md names each package that has to be compiled."""
    readme = (ROOT / "README.md").read_text()
    for (python, machine), names in COMPILED.items():
        assert machine == "aarch64-apple-darwin"
        assert all(word in readme for word in (f"Python {python} on macOS", *names))


def test_every_pin_has_its_hashes():
    """An index cannot swap what is installed, and no file tells which index made it."""
    found = []
    for file in PINS:
        text = (ROOT / file).read_text()
        pins = re.findall(r"^[a-z].*", text, re.M)
        assert all(re.fullmatch(r"[a-z][\w.-]*(\[\w+\])?==\S+( ; [^#]*)? \\", pin) for pin in pins)
        assert len(re.findall(r" \\\n    --hash=sha256:[0-9a-f]{64}", text)) >= len(pins) > 0
        assert "://" not in text
        found.append(set(pins))
    assert found[0] < found[1]  # What is shown of the longer list holds for the shorter.


def imported() -> set[str]:
    """The packages that the service imports, by the names that they are installed under."""
    files = [*(ROOT / "src" / "parley").rglob("*.py"), *(ROOT / "blueprints").glob("*.py")]
    found = set()
    for path in [*files, ROOT / "gunicorn.conf.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    found -= {*sys.stdlib_module_names, "parley", "blueprints", "wsgi"}
    installed = packages_distributions()
    return {installed[name][0].lower().replace("_", "-") for name in found}


def test_what_is_imported_is_declared():
    """Nothing is there by another package's grace."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].split("\n")
    declared = {re.split(r"[\[<>=]", line)[0].strip() for line in lines}
    assert imported() <= declared


@pytest.fixture(scope="module")
def python_with_pins(tmp_path_factory) -> Path:
    """The Python of an environment that holds the pins of requirements.txt, and nothing else."""
    folder = tmp_path_factory.mktemp("pins")
    uv("venv", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    uv("pip", "install", "--python", python, "--no-deps", "--require-hashes", "-r", PINS[0])
    return python


MODULES = """\
import importlib, os, pkgutil
import blueprints, parley
for package in (parley, blueprints):
    assert package.__file__.startswith(os.environ["PYTHONPATH"]), package.__file__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy: setuptools packs what earlier builds left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--out-dir", folder / "dist", copy_tree(folder / "tree"))
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


@pytest.mark.index
def test_the_wheel_and_the_pins_answer(tmp_path, python_with_pins, wheel, upstream):
    """Both alone: the wheel is imported whole, and nothing that the tests bring helps it."""
    uv("pip", "check", "--python", python_with_pins)
    installed, folder = tmp_path / "installed", tmp_path / "app"
    uv("pip", "install", "--python", python_with_pins, "--no-deps", "--target", installed, wheel)
    folder.mkdir()  # wsgi.py puts the application together; `src` beside it does not exist here.
    for name in ("wsgi.py", "gunicorn.conf.py"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    variables = {"PYTHONPATH": str(installed), "PARLEY_OPENAI_BASE_URL": upstream.url}
    ran(python_with_pins, "-c", MODULES, tree=folder, seconds=SECONDS, **variables)
    with serving(tmp_path / "log", variables, folder, python=str(python_with_pins)) as running:
        told = ask(running.url)
    assert (told.status, told.reply) == (200, REPLY)


@pytest.mark.index
def test_the_wheel_holds_every_file(tmp_path, wheel):
    """Whatever lies in a package's folder is installed with it: a page's files, say."""
    tree = copy_tree(tmp_path)
    files = {path.relative_to(tree / "src") for path in (tree / "src").rglob("*.*")}
    files |= {path.relative_to(tree) for path in (tree / "blueprints").rglob("*.*")}
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files
