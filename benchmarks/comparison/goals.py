"""What ours should reach, computed from a comparison's medians."""

from collections.abc import Callable
from dataclasses import dataclass

from upstream import FLOOR_SECONDS

Medians = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Goal:
    """A figure that should be at most `limit`."""

    name: str
    compute: Callable[[Medians], float]
    limit: float
    digits: int = 2

    def figure(self, medians: Medians) -> float | None:
        """What was measured, unless a peer that it needs was not."""
        try:
            return self.compute(medians)
        except KeyError:
            return None


def _ours(key: str) -> Callable[[Medians], float]:
    return lambda medians: medians[key]["Parley"]


def _ratio(key: str, peer: str) -> Callable[[Medians], float]:
    return lambda medians: medians[key]["Parley"] / medians[key][peer]


def _own_ratio(key: str, other: str) -> Callable[[Medians], float]:
    return lambda medians: medians[key]["Parley"] / medians[other]["Parley"]


def _first_sound(medians: Medians) -> float:
    return medians["first_alone"]["Parley"] / FLOOR_SECONDS


FASTAPI, FLASK = "FastAPI, AsyncOpenAI", "Flask, SDK"
GOALS = (
    Goal("processor one at a time / FastAPI's", _ratio("processor_1", FASTAPI), 0.62),
    Goal("median latency one at a time / FastAPI's", _ratio("added_median_1", FASTAPI), 0.72),
    Goal("processor at 1,000 in flight / FastAPI's", _ratio("crowd_processor", FASTAPI), 0.42),
    Goal("processor at 1,000 in flight / Flask's", _ratio("crowd_processor", FLASK), 0.1, 3),
    Goal(
        "processor at 1,000 in flight / one at a time",
        _own_ratio("crowd_processor", "processor_1"),
        1.25,
    ),
    Goal("processor a megabyte uploaded, ms", _ours("uploads_processor"), 5.5),
    Goal("start to the first answer, s", _ours("start"), 1),
    Goal("first conversation over a warm one, ms", _ours("cold"), 50, 0),
    Goal("1,000 in flight: peak memory (PSS), MB", _ours("crowd_pss"), 384, 0),
    Goal("16 uploads of 25 MB: peak memory (PSS), MB", _ours("uploads_pss"), 256, 0),
    Goal("stream: first sound, alone / the soonest possible", _first_sound, 1.1),
    Goal("stream: last sound, alone, s", _ours("last_alone"), 5),
    Goal("stream: first sound, median of 50 at once, s", _ours("first_50"), 1.8),
)
