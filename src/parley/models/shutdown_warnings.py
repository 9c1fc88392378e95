"""Warnings of models that will soon shut down, logged once a day while the process runs."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta

from parley import log
from parley.models.registry import Registry

NOTICE = timedelta(days=60)
"""How long before a model shuts down the service begins to warn of it."""


@dataclass
class EndWarnings:
    """Warns of the models used by default that shut down soon; cheap enough for every request."""

    registry: Registry
    undated: Container[str] = ()
    """The stages in which the registry's dates do not hold."""
    said_on: date | None = None

    def __call__(self, today: date) -> None:
        """Log `model_ends` for each such model, at the first call on a day (UTC)."""
        if today == self.said_on:
            return
        self.said_on = today  # Before anything below lets another request run.
        used = self.registry.resolve({}, today, self.undated)
        for stage, model in used.items():
            if stage not in self.undated and model.shutdown and model.shutdown - today <= NOTICE:
                then = self.registry.stages[stage].resolve(model.name, model.shutdown)
                log.model_ends(stage, model.name, model.shutdown, then.name)
