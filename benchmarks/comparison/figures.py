"""The figures of a comparison, in the order in which they are told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A figure's name, which a table shows beside its unit; the less of it, the better."""

    name: str
    unit: str
    digits: int = 0
    relative: bool = True
    """Whether its ratio to ours says something."""

    @property
    def title(self) -> str:
        """The name with the unit."""
        return f"{self.name}, {self.unit}" if self.unit else self.name


FIGURES = {
    "processor_1": Figure("processor a conversation, one at a time", "ms", 2),
    "added_median_1": Figure("latency added, one at a time, median", "ms", 1),
    "added_p99_1": Figure("latency added, one at a time, p99", "ms", 1),
    "processor_8": Figure("processor a conversation, 8 at a time", "ms", 2),
    "added_median_8": Figure("latency added, 8 at a time, median", "ms", 1),
    "added_p99_8": Figure("latency added, 8 at a time, p99", "ms", 1),
    "crowd_answered": Figure("1,000 in flight: answered of 1,000", "", 0, relative=False),
    "crowd_p99": Figure("1,000 in flight: p99 (the upstream takes 3 s)", "s", 2),
    "crowd_processor": Figure("1,000 in flight: processor a conversation", "ms", 2),
    "crowd_pss": Figure("1,000 in flight: peak memory (PSS)", "MB"),
    "idle_pss": Figure("two idle workers: memory (PSS)", "MB"),
    "dyno_answered": Figure(
        "256 processes and threads: answered of 1,000 at once", "", 0, relative=False
    ),
    "dyno_replaced": Figure(
        "256 processes and threads: workers that died and were replaced", "", 0, relative=False
    ),
    "dyno_p99": Figure("256 processes and threads: p99", "s", 2),
    "fitting_answered": Figure(
        "the same with 100 threads a worker: answered of 1,000", "", 0, relative=False
    ),
    "fitting_replaced": Figure(
        "the same with 100 threads a worker: workers that died", "", 0, relative=False
    ),
    "fitting_p99": Figure("the same with 100 threads a worker: p99", "s", 2),
    "uploads_pss": Figure("16 uploads of 25 MB: peak memory (PSS)", "MB"),
    "uploads_processor": Figure("16 uploads of 25 MB: processor a megabyte", "ms", 2),
    "first_alone": Figure("stream: first sound, alone", "s", 2),
    "last_alone": Figure("stream: last sound, alone", "s", 2),
    "first_50": Figure("stream: first sound, median of 50 at once", "s", 2),
    "last_50": Figure("stream: last sound, median of 50 at once", "s", 2),
    "processor_50": Figure("stream: processor, 50 at once", "ms", 1),
    "connections": Figure("TLS connections upstream for 1,000 conversations", ""),
    "tls_processor": Figure("processor a conversation over TLS, 8 at a time", "ms", 2),
    "start": Figure("start to the first answer", "s", 2),
    "cold": Figure("first conversation over a warm one", "ms"),
}
