"""Figures as a small table, beside their goals; a script that misses one fails."""

import signal
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
missed: list[str] = []


def quantile(values: list[float], share: int) -> float:
    """The value below which `share` per cent of the values lie."""
    return statistics.quantiles(values, n=100)[share - 1]


def show(name: str, *figures: object) -> None:
    """A row of figures."""
    print(f"  {name:<48}" + "".join(f"{figure!s:>12}" for figure in figures), flush=True)


def hold(name: str, figure: float, goal: float, digits: int = 0) -> None:
    """A row with a figure that should be at most `goal`."""
    show(name, f"{figure:.{digits}f}", f"(goal {goal:g})", "" if figure <= goal else "MISSED")
    if figure > goal:
        missed.append(name)


def draw(script: str, source: Path, picture: Path) -> None:
    """Draw figures that were written as JSON, in the environment that has what draws."""
    python = ROOT / ".venv" / "plot" / "bin" / "python"
    subprocess.run([python, ROOT / "benchmarks" / "plot" / script, source, picture], check=True)
    print(f"Written: {source.relative_to(ROOT)}, {picture.relative_to(ROOT)}")


def measure(script: Callable[[], None]) -> None:
    """Run a script; end what it has started even if it is told to stop, and fail if it misses."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("  stopped: it took too long"))
    script()
    sys.exit(1 if missed else 0)
