"""Warnings of models that will soon shut down, logged once a day while the process runs."""

from collections.abc import Container
from datetime import date, timedelta

from parley import log
from parley.models.registry import Registry

NOTICE = timedelta(days=60)
"""How long before a model shuts down the service begins to warn of it."""


class EndWarnings:
    """Warns of the models used by default that shut down soon; cheap enough for every request."""

    def __init__(self, registry: Registry, undated: Container[str] = ()) -> None:
        """Warn of the models of `registry`, but for the stages in which its dates do not hold."""
        self._registry, self._undated = registry, undated
        self._said_on: date | None = None

    def __call__(self, today: date) -> None:
        """Log `model_ends` for each such model, at the first call on a day (UTC)."""
        if today == self._said_on:
            return
        self._said_on = today  # Before anything below lets another request run.
        used = self._registry.resolve({}, today, self._undated).by_stage()
        for stage, model in used.items():
            if stage not in self._undated and model.shutdown and model.shutdown - today <= NOTICE:
                then = self._registry.stages[stage].resolve(model.name, model.shutdown)
                log.model_ends(stage, model.name, model.shutdown, then.model.name)
