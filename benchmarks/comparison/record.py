"""What was measured: each figure of each service, turn by turn, and what went wrong."""

from collections.abc import Iterable

from callers import Outcome, lost, problems


class Record:
    """The figures of one run."""

    def __init__(self, services: Iterable[str]) -> None:
        self.services = list(services)
        self.figures: dict[str, dict[str, list[float]]] = {}
        self.failures: dict[str, list[str]] = {}

    def add(self, service: str, **figures: float | None) -> None:
        """A turn's figures; those that there are not are None."""
        for key, value in figures.items():
            if value is not None:
                turns = self.figures.setdefault(key, {}).setdefault(service, [])
                turns.append(float(f"{value:.4g}"))

    def fail(self, service: str, what: str) -> None:
        """Something that a service did not do."""
        self.failures.setdefault(service, []).append(what)

    def answered(self, service: str, where: str, outcomes: list[Outcome]) -> list[Outcome]:
        """The conversations that had a right answer; the others are noted."""
        if missing := lost(outcomes):
            self.fail(
                service, f"{where}: {missing:,} of {len(outcomes):,} lost ({problems(outcomes)})"
            )
        return [outcome for outcome in outcomes if not outcome.problem]
