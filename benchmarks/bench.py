"""What the measurements share: servers to measure, callers, and the memory of a process tree."""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOT_SECONDS = 30
SDK = ("--worker-class=gthread", "--threads=16", "--keep-alive=95")
"""How the same chain on the SDK is served."""
PROMISED = re.compile(rb"content-length: (\d+)", re.I)


@contextmanager
def upstream(seconds: float) -> Iterator[str]:
    """A base URL that answers each call after as many seconds."""
    command = [sys.executable, str(ROOT / "benchmarks" / "upstream.py"), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


@contextmanager
def serving(
    base_url: str, *arguments: str, workers: int = 1, tree: Path = ROOT
) -> Iterator[tuple[int, int]]:
    """The port and the process of gunicorn, run in `tree` with the pins and these arguments."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    variables = {
        "PARLEY_OPENAI_BASE_URL": base_url,
        "OPENAI_BASE_URL": base_url,
        "WEB_CONCURRENCY": str(workers),
    }
    command = [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", *arguments, "wsgi:app"]
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=kept | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        log = ""
        while not (ready := re.search(r"Listening at: http://127.0.0.1:(\d+)", log)):
            line = process.stderr.readline()
            if not line:
                raise SystemExit(f"gunicorn does not start:\n{log}")
            log += line
        threading.Thread(target=process.stderr.read, daemon=True).start()
        deadline = time.monotonic() + BOOT_SECONDS
        while len(tree_of(process.pid)) <= workers and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.5)  # Workers import what is not preloaded.
        yield int(ready[1]), process.pid
    finally:
        process.terminate()
        process.wait(40)


def tree_of(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def pss(*pids: int) -> float:
    """The proportional set size of these processes, in MB (of 1,048,576 bytes)."""
    total = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1])
    return total / 1024


def processor_seconds(*pids: int) -> float:
    """The processor time that these processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def watched(pid: int) -> Iterator[list[float]]:
    """The memory of a process tree, sampled; its peak is the list's maximum."""
    samples, over = [pss(*tree_of(pid))], threading.Event()

    def sample() -> None:
        while not over.wait(0.1):
            samples.append(pss(*tree_of(pid)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def request(size: int) -> bytes:
    """A conversation's request with a WAV file of that many bytes."""
    audio = b"RIFF\0\0\0\0WAVEfmt " + bytes(size - 16)
    head = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
    body = head + audio + b"\r\n--b--\r\n"
    lines = (
        "POST /api/conversation/ HTTP/1.1",
        "Host: localhost",
        "X-OpenAI-API-Key: local",
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


async def converse(port: int, sent: bytes, connection=None) -> tuple[int, float]:
    """The status, and how many seconds it took; 0 where there was no whole answer."""
    begun = time.monotonic()
    writer = None
    try:
        reader, writer = connection or await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(PROMISED.search(head)[1]))
        return int(head[9:12]), time.monotonic() - begun
    except (OSError, EOFError, TimeoutError):
        return 0, time.monotonic() - begun
    finally:
        if writer and not connection:
            writer.close()


def quantile(values: list[float], share: int) -> float:
    """The value below which `share` per cent of the values lie."""
    return statistics.quantiles(values, n=100)[share - 1]


def show(*rows: tuple[object, ...]) -> None:
    """Print a small table."""
    for name, *cells in rows:
        print(f"  {name:<44}" + "".join(f"{cell:>12}" for cell in cells))
