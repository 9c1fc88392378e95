"""The local engine, which the servers of others stand before, or beside."""

import sys
from collections.abc import Iterator

import pytest
import requests
from testing.builders import ROOT
from testing.processes import started


@pytest.fixture(scope="session")
def engine(tmp_path_factory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("engine") / "log"
    command = [sys.executable, "-m", "local_engine", "--port", "0"]
    with started(command, log, r"ready on (\S+)\n", PYTHONPATH=str(ROOT / "src")) as (url, _):
        yield url


@pytest.fixture(scope="session")
def engine_models(engine) -> dict[str, str]:
    headers = {"Authorization": "Bearer any"}
    listed = requests.get(f"{engine}/models", headers=headers, timeout=10).json()["data"]
    return dict(zip(("stt", "text", "tts"), (model["id"] for model in listed), strict=True))
