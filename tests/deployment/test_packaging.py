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
import requests
from testing import fake_openai as fake
from testing.builders import KEY, ROOT, copy_tree, wav
from testing.gunicorn_process import serving

UV = Path(sys.executable).parent / "uv"
SECONDS = 120
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
MACHINES = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"]
PIN = r"^[a-z].*"
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


@pytest.mark.index
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_pin_has_a_wheel(python, machine):
    """Nothing is compiled where the service or the engine is installed, but for what is listed."""
    compiled = COMPILED.get((python, machine), [])
    wheels = ["--only-binary=:all:", *(f"--no-binary={name}" for name in compiled)]
    where = ("--python-version", python, "--python-platform", machine)
    pins = ("pip", "compile", "--no-deps", "--no-header", "--no-annotate")
    assert names(uv(*pins, *wheels, *where, PINS[1])) == names((ROOT / PINS[1]).read_text())


def test_the_engines_pins_are_those_of_the_service_and_more():
    """What is shown of the longer list holds for the shorter."""
    service, engine = (set(re.findall(PIN, (ROOT / file).read_text(), re.M)) for file in PINS[:2])
    assert service < engine


@pytest.mark.parametrize(("python", "machine"), COMPILED)
def test_what_has_no_wheel_is_told(python, machine):
    """README.md names each package that has to be compiled."""
    readme = (ROOT / "README.md").read_text()
    assert machine == "aarch64-apple-darwin"
    assert f"Python {python} on macOS" in readme
    assert all(name in readme for name in COMPILED[python, machine])


@pytest.mark.index
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
    pins = re.findall(PIN, text, re.M)
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


@pytest.mark.index
def test_the_pins_of_the_service_are_enough(tmp_path, python_with_pins, upstream):
    """With requirements.txt alone it starts: what the tests bring is not there to help."""
    uv("pip", "check", "--python", python_with_pins)
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url}
    with serving(tmp_path / "log", variables, python=str(python_with_pins)) as running:
        response = requests.post(
            running.conversation_url,
            headers={"X-OpenAI-API-Key": KEY},
            files={"audio": wav()},
            timeout=10,
        )
    assert response.status_code == 200


MODULES = """\
import importlib, os, pkgutil
import blueprints, parley
for package in (parley, blueprints):
    assert package.__file__.startswith(os.environ["PYTHONPATH"]), package.__file__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
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


@pytest.mark.index
def test_the_wheel_answers(tmp_path, python_with_pins, wheel, upstream):
    """Beside the pins it imports whole, and with the model list it answers."""
    installed = tmp_path / "installed"
    uv("pip", "install", "--python", python_with_pins, "--no-deps", "--target", installed, wheel)

    folder = tmp_path / "app"
    folder.mkdir()
    for name in ("wsgi.py", "MODEL_LIST.MD", "examples/question.wav"):
        (folder / Path(name).name).write_bytes((ROOT / name).read_bytes())

    def run(program: str, **variables: str) -> str:
        return subprocess.run(
            [python_with_pins, "-c", program],
            check=True,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), **variables},
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
    modules = {name.removesuffix(".__init__") for name in files} - roots.keys()
    assert set(run(MODULES).split()) == modules
    answer = run(CONVERSATION, PARLEY_OPENAI_BASE_URL=upstream.url)
    assert f"200 {fake.REPLY}" in answer


@pytest.mark.index
def test_the_wheel_holds_every_file(tmp_path, wheel):
    """Whatever lies in a package's folder is installed with it: a page's files, say."""
    tree = copy_tree(tmp_path)
    files = {path.relative_to(tree / "src") for path in (tree / "src").rglob("*.*")}
    files |= {path.relative_to(tree) for path in (tree / "blueprints").rglob("*.*")}
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files
