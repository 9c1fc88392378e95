"""The page's code is typed, linted and formatted."""

import pytest
from testing.builders import ROOT, ran

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
    ran(PROGRAMS / command[0], *command[1:], seconds=120)
