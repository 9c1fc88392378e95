"""The set-ups of the documents: their blocks of commands, and a terminal to run each in."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from testing.builders import ROOT
from testing.fake_openai import soon
from testing.gunicorn_process import environment, free_port, start

START_SECONDS = 120
STOP_SECONDS = 35
CALL_SECONDS = 60
WRITTEN_PORTS = ("8000", "8001", "8002", "8003")
"""The ports of the service and of the engines in the documents."""


def section(document: str, heading: str) -> list[str]:
    """The blocks of commands below a heading of the second level, in their order."""
    text = (ROOT / document).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.M)


def engine_lines(block: str) -> dict[str, str]:
    """The lines of a block that start an engine, each by its port as it is written."""
    return {line.rpartition(" ")[2]: line for line in block.splitlines() if "--port " in line}


@dataclass
class Terminal:
    """A terminal in which a block runs; `log` is all that it shows."""

    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until the terminal shows `text`."""
        soon(lambda: text in self.log or self.process.poll() is not None, START_SECONDS)
        assert text in self.log, self.log

    def asked(self) -> list[str]:
        """The stages that the engine here was asked for: the ends of their paths, in order."""
        return re.findall(r"POST /v1/\w+/(\w+) 200", self.log)


@dataclass(frozen=True)
class Place:
    """Where the documents' commands run: with ports that are free, and files in a folder."""

    folder: Path
    ports: Mapping[str, int]

    def here(self, block: str) -> str:
        """The block with what differs here: ports, the environment's place, a file in it."""
        block = re.sub(
            rf"\b({'|'.join(WRITTEN_PORTS)})\b", lambda port: str(self.ports[port[1]]), block
        )
        block = block.replace(".venv/MODEL_LIST.MD", str(self.folder / "MODEL_LIST.MD"))
        block = block.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        ports = f"PORT={self.ports['8000']} ENGINE_PORT={self.ports['8001']}"
        return block.replace("make run", f"make run {ports}")

    @contextmanager
    def terminal(self, block: str, **variables: str) -> Iterator[Terminal]:
        """Run a block that starts something, as a terminal does; end all of it afterwards."""
        log_file = self.folder / f"log-{len([*self.folder.glob('log-*')])}"
        bind = f"--bind=127.0.0.1:{self.ports['8000']}"
        command = ["bash", "-euo", "pipefail", "-c", self.here(block)]
        variables = environment(GUNICORN_CMD_ARGS=bind, **variables)
        process = start(command, log_file, cwd=ROOT, env=variables, start_new_session=True)
        try:
            yield Terminal(process, log_file)
        finally:
            end(process)

    def call(self, block: str, **variables: str) -> bytes:
        """What a block of one caller's commands prints; it runs beside the example."""
        if not (self.folder / "examples").exists():
            (self.folder / "examples").symlink_to(ROOT / "examples")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(block)],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "no_proxy": "*", **variables},
            check=True,
            capture_output=True,
            timeout=CALL_SECONDS,
        ).stdout

    def answer(self, block: str, **variables: str) -> dict:
        """The JSON that a caller's command prints."""
        return json.loads(self.call(block, **variables))


def place(folder: Path, **ports: int) -> Place:
    """A place with ports that are free, but for those that are named by how they are written."""
    return Place(folder, {written: ports.get(written) or free_port() for written in WRITTEN_PORTS})


def end(process: subprocess.Popen[bytes]) -> None:
    """Press Ctrl-C, and let none of the terminal's processes outlive it."""
    for how in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, how)
            process.wait(STOP_SECONDS)
