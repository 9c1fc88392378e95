"""What really leaves the loudspeaker: a PulseAudio sink that plays to nobody, and its recording."""

import array
import os
import subprocess
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RATE = 24_000
LOUD = 300  # Of 32,767: what is no silence.
WINDOW = RATE // 50  # A moment: 20 ms.


class Recording:
    """The samples that left since it began, each piece with the moment at which it was read."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.samples = array.array("h")
        self._pieces: list[tuple[int, float]] = []
        self._process = process
        self.begun = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while piece := self._process.stdout.read(2 * WINDOW):
            self._pieces.append((len(self.samples), time.time()))
            self.samples.frombytes(piece[: len(piece) // 2 * 2])
            self.begun.set()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(5)
        self._reader.join(5)
        self._process.stdout.close()

    def moments(self) -> list[bool]:
        """For each whole moment whether something could be heard."""
        starts = range(0, len(self.samples) - WINDOW + 1, WINDOW)
        return [max(map(abs, self.samples[start : start + WINDOW])) > LOUD for start in starts]

    def sounding(self) -> float:
        """For how many seconds something could be heard."""
        return self.moments().count(True) * WINDOW / RATE

    def last_sound(self) -> float:
        """When the last sound was heard, by time.time."""
        loud = len(self.moments()) - 1 - self.moments()[::-1].index(True)
        return next(when for start, when in self._pieces if start + WINDOW > loud * WINDOW)

    def longest_gap(self) -> float:
        """The longest silence between the first sound and the last, in seconds."""
        heard = "".join("#" if loud else "." for loud in self.moments()).strip(".")
        return max(map(len, heard.split("#"))) * WINDOW / RATE

    def save(self, path: Path) -> Path:
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(self.samples.tobytes())
        return path


class Ear:
    """Hears what programs play that have `environment`."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "PULSE_SERVER": f"unix:{folder}/native"}

    @contextmanager
    def listening(self) -> Iterator[Recording]:
        command = ["timeout", "300", "parec", "--device=ear.monitor", f"--rate={RATE}"]
        command += ["--channels=1", "--format=s16le", "--latency-msec=20"]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE)
        recording = Recording(process)
        try:
            assert recording.begun.wait(10)
            yield recording
        finally:
            recording.end()


@contextmanager
def ear(folder: Path) -> Iterator[Ear]:
    """A loudspeaker for the block, and an ear at it."""
    socket = folder / "native"
    process = subprocess.Popen(
        [
            *("timeout", "3600", "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"),
            *("--use-pid-file=no", "--disable-shm=yes"),
            *("-L", f"module-null-sink sink_name=ear rate={RATE} channels=1"),
            *("-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"),
        ],
        env={**os.environ, "PULSE_RUNTIME_PATH": str(folder), "HOME": str(folder)},
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not socket.exists():
            assert process.poll() is None, "pulseaudio does not start"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield Ear(folder)
    finally:
        process.terminate()
        process.wait(10)
