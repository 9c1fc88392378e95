"""The page's code is typed, linted and formatted."""

import subprocess

import pytest
from testing.builders import ROOT

pytestmark = pytest.mark.system
PROGRAMS = ROOT / "tests" / "browser" / "node_modules" / ".bin"
ASSETS = ROOT / "src" / "parley" / "page" / "assets"


@pytest.mark.parametrize(
    "command",
    [
        ["tsc", "--project", "tests/browser"],
        ["biome", "check", "--config-path=tests/browser", str(ASSETS)],
    ],
    ids=["types", "lint"],
)
def test_the_code_passes(command):
    """What the tool finds is in the failure."""
    run = subprocess.run(
        [PROGRAMS / command[0], *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
