"""What a conversation costs: `calibration.py` measures it, `plan.py` reads it from costs.json."""

import json
import math
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from dyno_model import Overheads, Steps

FILE = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Costs:
    """Processor time, in ms on one core of the machine that was measured, and memory (PSS)."""

    parts_ms: tuple[float, ...]
    """Of a conversation: before speech-to-text, between the stages, and after text-to-speech."""
    wake_ms: float
    """Of a worker that slept, each time that it is woken."""
    spread: float
    """Of each part: its standard deviation, as a share of its mean."""
    refusal_ms: float
    """Of a 503."""
    favour: float
    """Of connections that find several workers asleep, the share that one worker takes always."""
    stream_ms: float
    """Of a conversation of a hundred words that is streamed, on a busy worker."""
    stream_pieces: int
    """How often its worker is woken for it, on a worker that has nothing else to do."""
    idle_mb: float
    """Of two idle workers and gunicorn's arbiter."""
    in_flight_kb: float
    """Of each conversation in flight, with a recording of 100 KB."""
    measured: str
    """The day, as YYYY-MM-DD."""

    @property
    def overheads(self) -> Overheads:
        """What the model takes beside a conversation's steps, in seconds."""
        return Overheads(self.wake_ms / 1000, self.refusal_ms / 1000, self.favour)

    def busy_seconds(self, *, streamed: bool = False) -> float:
        """What a conversation computes where nothing is added for waking."""
        return (self.stream_ms if streamed else sum(self.parts_ms)) / 1000

    def memory_mb(self, workers: int, in_flight: int) -> float:
        """The memory of so many workers and the arbiter, with so many conversations in flight."""
        return self.idle_mb * (workers + 1) / 3 + self.in_flight_kb * in_flight / 1024

    def steps(
        self,
        stages: tuple[float, ...],
        rng: random.Random,
        *,
        spread: float = 0.0,
        streamed: bool = False,
    ) -> Steps:
        """A conversation whose stages take these seconds on average.

        A stream computes `stream_pieces` times while its text arrives. Speech is made
        meanwhile, but the last sentence's takes a stage of text-to-speech of its own.
        """
        stt, text, tts = (around(stage, spread, rng) for stage in stages)
        before, *between, after = (around(ms, self.spread, rng) / 1000 for ms in self.parts_ms)
        if not streamed:
            return [*zip((before, *between), (stt, text, tts), strict=True), (after, 0.0)]
        pieces = self.stream_pieces
        each = max(0.0, self.stream_ms / 1000 - before - after) / pieces
        return [(before, stt), *[(each, text / pieces)] * pieces, (0.0, tts), (after, 0.0)]

    def keep(self) -> None:
        """Write them to costs.json."""
        FILE.write_text(json.dumps(asdict(self), indent=2) + "\n")


def around(mean: float, spread: float, rng: random.Random) -> float:
    """A positive value around the mean, log-normal as durations are; `spread` is relative."""
    if not spread:
        return mean
    variance = math.log(1 + spread**2)
    return mean * rng.lognormvariate(-variance / 2, math.sqrt(variance))


def kept() -> Costs:
    """Those of costs.json."""
    values = json.loads(FILE.read_text())
    return Costs(**{**values, "parts_ms": tuple(values["parts_ms"])})
