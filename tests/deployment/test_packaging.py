"""What is installed: the pins, for every Python and machine that is promised, and the wheel."""

import ast
import configparser
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from testing import fake_openai as fake
from testing.builders import ROOT, copy_tree

UV = Path(sys.executable).parent / "uv"
SECONDS = 120
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
MACHINES = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"]
PINS = ["requirements.txt", "requirements-local.txt", "requirements-test.txt"]
# No wheel, so that pip compiles it: README.md says what helps.
COMPILED = {("3.11", "aarch64-apple-darwin"): ["gevent"]}


def uv(*words: object) -> str:
    """What uv prints; no Python but this machine's is ever looked for."""
    variables = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(
        [UV, "--quiet", *map(str, words)],
        check=False,
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(pins: str) -> set[str]:
    return set(re.findall(r"^([a-z][\w.-]*)==", pins, re.M))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_pin_has_a_wheel(python, machine):
    """Nothing is compiled where the service or the engine is installed, but for what is listed."""
    compiled = COMPILED.get((python, machine), [])
    wheels = ["--only-binary=:all:", *(f"--no-binary={name}" for name in compiled)]
    where = ("--python-version", python, "--python-platform", machine)
    pins = ("pip", "compile", "--no-deps", "--no-header", "--no-annotate")
    for file in PINS[:2]:
        assert names(uv(*pins, *wheels, *where, file)) == names((ROOT / file).read_text())


@pytest.mark.parametrize(("python", "machine"), COMPILED)
def test_what_has_no_wheel_is_told(python, machine):
    """README.md names each package that has to be compiled."""
    readme = (ROOT / "README.md").read_text()
    assert machine == "aarch64-apple-darwin"
    assert f"Python {python} on macOS" in readme
    assert all(name in readme for name in COMPILED[python, machine])


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_are_whole(python, machine):
    """No Python and no machine wants a package that is not pinned."""
    where = ("--python-version", python, "--python-platform", machine, "-c", PINS[0])
    wanted = uv("pip", "compile", "--no-header", "--no-annotate", *where, "setup.cfg")
    assert names(wanted) == names((ROOT / PINS[0]).read_text())


@pytest.mark.parametrize("file", PINS)
def test_every_pin_has_its_hashes(file):
    """An index cannot swap what is installed, and no file tells which index made it."""
    text = (ROOT / file).read_text()
    pins = re.findall(r"^[a-z].*", text, re.M)
    assert pins
    assert all(re.fullmatch(r"[a-z][\w.-]*(\[\w+\])?==\S+( ; [^#]*)? \\", pin) for pin in pins)
    assert len(re.findall(r" \\\n    --hash=sha256:[0-9a-f]{64}", text)) >= len(pins)
    assert "://" not in text


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
    found -= {*sys.stdlib_module_names, "parley", "blueprints", "wsgi", "apispec"}
    installed = packages_distributions()
    return {installed[name][0].lower().replace("_", "-") for name in found}


def test_what_is_imported_is_declared():
    """Nothing is there by another package's grace; apispec is `flask openapi`'s, for developers."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].split("\n")
    declared = {re.split(r"[\[<>=]", line)[0].strip() for line in lines}
    assert imported() <= declared


MODULES = """\
import importlib, pkgutil, sys
import blueprints, parley
for package in (parley, blueprints):
    assert package.__file__.startswith(sys.prefix), package.__file__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name != "parley.web.openapi":  # For developers: apispec makes it.
            importlib.import_module(module.name)
            print(module.name)
"""
CONVERSATION = """\
import runpy
from pathlib import Path
# wsgi.py puts the application together; `src` beside it does not exist here.
app = runpy.run_path("wsgi.py")["app"]
answer = app.test_client().post(
    "/api/conversation/",
    headers={"X-OpenAI-API-Key": "sk-Zq8vX3mK7pT2wR9yL4nB6cD1"},
    data={"audio": (Path("question.wav").open("rb"), "question.wav")},
)
print(answer.status_code, answer.json["text_response"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy: setuptools packs what earlier builds left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--out-dir", folder / "dist", copy_tree(folder / "tree"))
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def test_the_wheel_answers(tmp_path, wheel):
    """In a clean environment it imports whole, and with the model list it answers."""
    python = tmp_path / "venv" / "bin" / "python"
    uv("venv", "--python", sys.executable, tmp_path / "venv")
    uv("pip", "install", "--python", python, "--no-deps", "--require-hashes", "-r", PINS[0])
    uv("pip", "install", "--python", python, "--no-deps", wheel)

    folder = tmp_path / "app"
    folder.mkdir()
    for name in ("wsgi.py", "MODEL_LIST.MD", "examples/question.wav"):
        (folder / Path(name).name).write_bytes((ROOT / name).read_bytes())

    def run(program: str, **variables: str) -> str:
        return subprocess.run(
            [python, "-c", program],
            check=True,
            cwd=folder,
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        ).stdout

    roots = {"parley": ROOT / "src" / "parley", "blueprints": ROOT / "blueprints"}
    files = {
        f"{name}.{path.relative_to(root).with_suffix('').as_posix().replace('/', '.')}"
        for name, root in roots.items()
        for path in root.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__") for name in files} - {*roots, "parley.web.openapi"}
    assert set(run(MODULES).split()) == modules
    with fake.running() as upstream:
        answer = run(CONVERSATION, PARLEY_OPENAI_BASE_URL=upstream.url)
    assert f"200 {fake.REPLY}" in answer


def test_the_wheel_holds_every_file(tmp_path, wheel):
    """Whatever lies in a package's folder is installed with it: a page's files, say."""
    tree = copy_tree(tmp_path)
    files = {path.relative_to(tree / "src") for path in (tree / "src").rglob("*.*")}
    files |= {path.relative_to(tree) for path in (tree / "blueprints").rglob("*.*")}
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files
