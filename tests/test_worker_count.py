"""As many workers as the container has cores and memory for."""

import sys

import pytest
from testing.builders import ran

from parley.worker_count import workers

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("cores", "files", "expected"),
    [
        (1, {}, 1),
        (3, {}, 3),
        (64, {}, 4),
        (8, {"cpu.max": "max 100000\n"}, 4),
        (8, {"cpu.max": "200000 100000\n"}, 2),
        (8, {"cpu.max": "150000 100000\n"}, 2),
        (8, {"cpu.max": "25000 100000\n"}, 1),
        (2, {"cpu.max": "400000 100000\n"}, 2),
        (8, {"memory.max": f"{512 * MB}\n"}, 4),
        (8, {"memory.max": f"{256 * MB}\n"}, 2),
        (8, {"memory.max": f"{64 * MB}\n"}, 1),
        (8, {"memory.max": "max\n"}, 4),
        (8, {"cpu.max": "300000 100000\n", "memory.max": f"{256 * MB}\n"}, 2),
    ],
)
def test_the_container_decides(tmp_path, cores, files, expected):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert workers(tmp_path, cores) == expected


@pytest.mark.parametrize(("set_to", "expected"), [("3", "3"), (None, str(workers()))])
def test_the_platform_decides_first(monkeypatch, set_to, expected):
    """WEB_CONCURRENCY is gunicorn's own; where a platform sets none, the container decides."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    variables = {"WEB_CONCURRENCY": set_to} if set_to else {}
    printed = ran(sys.executable, "-m", "gunicorn", "--print-config", "wsgi:app", **variables)
    [told] = [line.split() for line in printed.splitlines() if line.split()[:1] == ["workers"]]
    assert told[-1] == expected
